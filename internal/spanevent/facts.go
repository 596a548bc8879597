package spanevent

import (
	"encoding/json"
	"iter"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
)

// field is a meaning that an attribute can have, whatever its key is called.
type field uint8

const (
	fieldNothing field = iota
	fieldEventType
	fieldReplaces
	fieldPartOf
	fieldOperation
	fieldKind // the dialect's own word for what the span is
	fieldProvider
	fieldRequestModel
	fieldResponseModel
	fieldResponseID
	fieldFinishReasons
	fieldStampedSession
	fieldStampedAgent
	fieldSession
	fieldConversation
	fieldAgent
	// fieldAgentLabel is what a library calls the thing that ran when it has
	// no word for an agent.
	fieldAgentLabel
	fieldAgentVersion
	// fieldEntity names whatever the span is: an agent, a tool, a workflow.
	fieldEntity
	// fieldGroup is a conversation, if it is one.
	fieldGroup
	fieldServiceTier
	fieldErrorType
	fieldErrorMessage
	fieldTokensIn
	// fieldTokensUncached is input without the cached tokens.
	fieldTokensUncached
	fieldTokensOut
	// fieldTokensTotal is input and output as one.
	fieldTokensTotal
	fieldCacheRead
	fieldCacheWrite
	fieldReasoningTokens
	fieldCost
	fieldToolName
	fieldToolID
	fieldToolArguments
	fieldToolResult
	fieldInput
	fieldOutput
	fieldDecisionID
	fieldDecisionStep
	fieldReasoning
	fieldAlternatives
	fieldConfidence
	fieldStatus
	fieldTotalIn
	fieldTotalOut
	fieldRevision
	fieldCount
)

// fields is how many there can be at most: each has a bit in a word.
const fields = 64

// facts is what one pass over a span's attributes found: for each field the
// value of the binding that wins.
type facts struct {
	// told has the bit of each field that is there. Only those have a value and
	// the rank of its binding, for a span has few of them.
	told uint64
	// seen has the bit of each dialect with an attribute on the span, and bound
	// counts those attributes.
	seen  uint64
	bound int
	// implied is what a key on the span implies it to be, and decidedBy the
	// dialect of that key.
	implied kind
	// failed says that an attribute tells of a failure, ignored that the span
	// only repeats another.
	failed, ignored bool
	// apart says that the input does not include the cached tokens.
	apart bool
	// scope is the dialect that writes under the span's scope, nil when that does
	// not tell. withMetadata says that the metadata of a session is wanted.
	scope        *dialect
	withMetadata bool
	// own says that AgentLens's SDK wrote the span: its content is JSON.
	own       bool
	decidedBy *dialect
	metadata  map[string]any
	// memory is where content is written; nil for memory of its own.
	memory *memory

	ranks  [fields]uint8
	values [fields]pcommon.Value
	// held has the bits of the fields with a value of a span before.
	held uint64
}

// factsPool spares reading a span its largest allocation.
var factsPool = sync.Pool{New: func() any { return new(facts) }}

func newFacts() *facts { return factsPool.Get().(*facts) }

// reset forgets the span, but for the values.
func (f *facts) reset() {
	f.held |= f.told
	f.told, f.seen, f.bound, f.implied = 0, 0, 0, kindUnknown
	f.failed, f.ignored, f.apart, f.own = false, false, false, false
	f.scope, f.decidedBy, f.metadata, f.memory = nil, nil, nil, nil
}

// letGo forgets the values too: nothing of any span is held on to.
func (f *facts) letGo() {
	for ; f.held != 0; f.held &= f.held - 1 {
		f.values[bits.TrailingZeros64(f.held)] = pcommon.Value{}
	}
}

// dialects goes over the dialects seen on the span, the scope's own first.
func (f *facts) dialects() iter.Seq[*dialect] {
	return func(yield func(*dialect) bool) {
		own, seen := f.scope, f.seen
		if own != nil {
			seen &^= own.bit
		}
		for own != nil || seen != 0 {
			d := own
			if d == nil {
				d = dialects[bits.TrailingZeros64(seen)]
				seen &= seen - 1
			}
			own = nil
			if !yield(d) {
				return
			}
		}
	}
}

// set keeps the value unless a better binding has given one.
func (f *facts) set(to field, rank uint8, v pcommon.Value) {
	if !f.has(to) || rank < f.ranks[to] {
		f.values[to], f.ranks[to] = v, rank
		f.told |= 1 << to
	}
}

func (f *facts) has(what field) bool { return f.told&(1<<what) != 0 }

// hasAny reports whether one of the fields is there whose bits are set.
func (f *facts) hasAny(of uint64) bool { return f.told&of != 0 }

// str returns a field as text, "" when it is absent.
func (f *facts) str(what field) string {
	if !f.has(what) {
		return ""
	}
	return textOf(f.values[what])
}

func textOf(v pcommon.Value) string {
	if s := v.Str(); s != "" { // of what is no text it is ""
		return s
	}
	return v.AsString()
}

// integer returns a field as a count. Numbers arrive as strings and as
// doubles too. What is not a whole number, or is negative, is absent.
func (f *facts) integer(what field) analysis.Opt[int64] {
	if !f.has(what) {
		return analysis.Opt[int64]{}
	}
	return countOf(f.values[what])
}

func countOf(v pcommon.Value) analysis.Opt[int64] {
	if v.Type() == pcommon.ValueTypeInt {
		if v.Int() < 0 {
			return analysis.Opt[int64]{}
		}
		return analysis.Some(v.Int())
	}
	n, ok := number(v).Get()
	if !ok || n < 0 || n != math.Trunc(n) || n >= 1<<63 {
		return analysis.Opt[int64]{}
	}
	return analysis.Some(int64(n))
}

// amount returns a field as a finite number that is not negative.
func (f *facts) amount(what field) analysis.Opt[float64] {
	if !f.has(what) {
		return analysis.Opt[float64]{}
	}
	return amountOf(f.values[what])
}

func amountOf(v pcommon.Value) analysis.Opt[float64] {
	n := number(v)
	if n.V < 0 {
		return analysis.Opt[float64]{}
	}
	return n
}

// number reads a finite number from any type that can hold one.
func number(v pcommon.Value) analysis.Opt[float64] {
	var n float64
	switch v.Type() {
	case pcommon.ValueTypeInt:
		n = float64(v.Int())
	case pcommon.ValueTypeDouble:
		n = v.Double()
	case pcommon.ValueTypeStr:
		s := strings.TrimSpace(v.Str())
		if s == "" || s[0] > '9' { // what begins with a letter is not finite, and an error would be allocated
			return analysis.Opt[float64]{}
		}
		parsed, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return analysis.Opt[float64]{}
		}
		n = parsed
	default:
		return analysis.Opt[float64]{}
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return analysis.Opt[float64]{}
	}
	return analysis.Some(n)
}

// texts returns a list of strings, which may arrive as a list, as the JSON of
// one, or as a single string.
func (f *facts) texts(what field) []string {
	if !f.has(what) {
		return nil
	}
	v := f.values[what]
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		var out []string
		for _, item := range v.Slice().All() {
			out = append(out, item.AsString())
		}
		return out
	case pcommon.ValueTypeStr:
		s := v.Str()
		if strings.HasPrefix(s, "[") {
			var out []string
			if json.Unmarshal([]byte(s), &out) == nil {
				return out
			}
		}
		if s == "" {
			return nil
		}
		return []string{s}
	default:
		return []string{v.AsString()}
	}
}

// data returns a field that is wanted as valid JSON: what the SDK wrote as it is;
// of others an object as it stands, other text as {key: text} so that it is an
// object, structured values encoded, and a list as {key: list}. Text that a screen
// rules out stands for itself.
func (f *facts) data(w wish, what field, key string) json.RawMessage {
	if !f.has(what) {
		return nil
	}
	v := f.values[what]
	if v.Type() == pcommon.ValueTypeStr {
		s := v.Str()
		if w.rulesOut(s, f.own) {
			return ruledOut
		}
		if f.own && isJSON(s) {
			return asItIs(s)
		}
	}
	return f.valueData(v, key)
}

func (f *facts) valueData(v pcommon.Value, key string) json.RawMessage {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return f.memory.textData(v.Str(), key)
	case pcommon.ValueTypeMap:
		return encode(v.Map().AsRaw())
	case pcommon.ValueTypeEmpty:
		return nil
	default:
		return wrapJSON(key, v.AsRaw())
	}
}

func decodeJSON(s string) (any, error) {
	var v any
	err := json.Unmarshal([]byte(s), &v)
	return v, err
}

// encode returns the JSON of a value out of pdata, nil for what JSON cannot
// say (NaN).
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
