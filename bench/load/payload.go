package load

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/agentlens/agentlens-otel/semconv"
)

// payload is an encoded request and where in it stands what changes from one
// sending to the next.
type payload struct {
	bytes   []byte
	spans   int
	patches []patch
}

// patch is a place in an encoded request.
type patch struct {
	offset int
	what   field
	// session is the number of the session within the request, span that of the
	// span within the session.
	session, span int
	// after is the time since the session's start.
	after time.Duration
}

type field int

const (
	fieldTraceID field = iota
	fieldSpanID
	fieldSessionID
	fieldTime
)

// The marks stand in a template for the ids of session and span.

const sessionMarkPrefix = "session!"

func sessionMark(number int) string { return fmt.Sprintf("%s%08d", sessionMarkPrefix, number) }

func traceMark(number int) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(number)+1)
	return id
}

func spanMark(number int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(number)+1)
	return id
}

// newPayload encodes a half of each of so many sessions. The shapes take turns.
func newPayload(w *writer, sessions int, shapes []Shape, which half) (*payload, error) {
	td := ptrace.NewTraces()
	byShape := map[Shape][2]ptrace.SpanSlice{}
	for i := range sessions {
		shape := shapes[i%len(shapes)]
		slices, ok := byShape[shape]
		if !ok {
			slices = resource(td, shape)
			byShape[shape] = slices
		}
		w.session(slices[0], slices[1], i, shape, which)
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, err
	}
	p := &payload{bytes: b, spans: td.SpanCount()}
	return p, p.find()
}

// resource adds the process that writes a shape, with the scopes of its agent
// and its clients.
func resource(td ptrace.Traces, shape Shape) [2]ptrace.SpanSlice {
	rs := td.ResourceSpans().AppendEmpty()
	attrs := rs.Resource().Attributes()
	attrs.PutStr(semconv.ServiceName, fmt.Sprintf("agents-%d", shape))
	attrs.PutStr(semconv.ServiceVersion, "1.4.2")
	attrs.PutStr("telemetry.sdk.language", "python")
	attrs.PutStr("host.name", "worker-12")
	agent, clients := rs.ScopeSpans().AppendEmpty(), rs.ScopeSpans().AppendEmpty()
	agent.Scope().SetName(map[Shape]string{
		ShapeSDK:           semconv.ScopeName,
		ShapeGenAI:         "opentelemetry.instrumentation.openai_v2",
		ShapeOpenInference: "openinference.instrumentation.openai",
	}[shape])
	clients.Scope().SetName("opentelemetry.instrumentation.httpx")
	return [2]ptrace.SpanSlice{agent.Spans(), clients.Spans()}
}

// write puts the ids of the request with the given number, and times that end
// about now, into the bytes. In another round the same sessions have other
// spans.
func (p *payload) write(number uint64, sessions int, round uint64, now time.Time) {
	begin := now.Add(-20 * time.Second).UnixNano()
	for _, at := range p.patches {
		id := mix(number*uint64(sessions) + uint64(at.session) + 1)
		b := p.bytes[at.offset:]
		switch at.what {
		case fieldTraceID:
			binary.BigEndian.PutUint64(b, id)
			binary.BigEndian.PutUint64(b[8:], mix(id))
		case fieldSpanID:
			binary.BigEndian.PutUint64(b, mix(id+uint64(at.span)+round<<16))
		case fieldSessionID:
			var raw [8]byte
			binary.BigEndian.PutUint64(raw[:], id)
			hex.Encode(b[:16], raw[:])
		case fieldTime:
			binary.LittleEndian.PutUint64(b, uint64(begin+int64(at.after)))
		}
	}
}

// mix is the finalizer of SplitMix64, a permutation: ids differ when what they
// are of does.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Numbers of fields in opentelemetry/proto/trace/v1 and common/v1.
const (
	tracesResourceSpans     = 1
	resourceSpansScopeSpans = 2
	scopeSpansSpans         = 2
	spanTraceID             = 1
	spanSpanID              = 2
	spanParentSpanID        = 4
	spanStart               = 7
	spanEnd                 = 8
	spanAttributes          = 9
	keyValueValue           = 2
	anyValueString          = 1
)

// find notes the places of the marks.
func (p *payload) find() error {
	return p.each(0, len(p.bytes), func(n protowire.Number, from, to int) error {
		if n != tracesResourceSpans {
			return nil
		}
		return p.each(from, to, func(n protowire.Number, from, to int) error {
			if n != resourceSpansScopeSpans {
				return nil
			}
			return p.each(from, to, func(n protowire.Number, from, to int) error {
				if n != scopeSpansSpans {
					return nil
				}
				return p.findInSpan(from, to)
			})
		})
	})
}

func (p *payload) findInSpan(from, to int) error {
	// The trace id tells which session the other places are of, and need not be
	// the first.
	session := 0
	err := p.each(from, to, func(n protowire.Number, from, to int) error {
		if n == spanTraceID {
			session = int(binary.BigEndian.Uint64(p.bytes[from+8:to])) - 1
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.each(from, to, func(n protowire.Number, from, to int) error {
		b := p.bytes[from:to]
		at := patch{offset: from, session: session}
		switch n {
		case spanTraceID:
			at.what = fieldTraceID
		case spanSpanID, spanParentSpanID:
			if len(b) == 0 {
				return nil
			}
			at.what, at.span = fieldSpanID, int(binary.BigEndian.Uint64(b))-1
		case spanStart, spanEnd:
			at.what, at.after = fieldTime, time.Duration(binary.LittleEndian.Uint64(b))
		case spanAttributes:
			return p.findInAttribute(from, to, session)
		default:
			return nil
		}
		p.patches = append(p.patches, at)
		return nil
	})
}

func (p *payload) findInAttribute(from, to, session int) error {
	return p.each(from, to, func(n protowire.Number, from, to int) error {
		if n != keyValueValue {
			return nil
		}
		return p.each(from, to, func(n protowire.Number, from, to int) error {
			if n == anyValueString && strings.HasPrefix(string(p.bytes[from:to]), sessionMarkPrefix) {
				p.patches = append(p.patches, patch{offset: from, what: fieldSessionID, session: session})
			}
			return nil
		})
	})
}

// each shows the fields of the message in bytes from..to: where their values
// lie, without tag and length.
func (p *payload) each(from, to int, see func(n protowire.Number, from, to int) error) error {
	for from < to {
		number, kind, n := protowire.ConsumeTag(p.bytes[from:to])
		if n < 0 {
			return protowire.ParseError(n)
		}
		from += n
		size := protowire.ConsumeFieldValue(number, kind, p.bytes[from:to])
		if size < 0 {
			return protowire.ParseError(size)
		}
		begin := from
		from += size
		if kind == protowire.BytesType {
			_, prefix := protowire.ConsumeVarint(p.bytes[begin:from])
			begin += prefix
		}
		if err := see(number, begin, from); err != nil {
			return err
		}
	}
	return nil
}
