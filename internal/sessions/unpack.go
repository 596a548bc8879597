package sessions

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/analysis"
)

// unpacker reads what a packer has written.
type unpacker struct {
	b       []byte
	symbols *symbols
	names   []name
}

// unpackInto makes of an empty session the one under a key that a packer with the
// same symbols has written.
func unpackInto(s *Session, key string, b []byte, y *symbols) *Session {
	s.Key, s.Summary = key, &s.sum
	u := unpacker{b: b, symbols: y}
	at := (*[packedSession]byte)(u.b)
	u.b = u.b[packedSession:]
	flags := at[0]
	s.RootSeen, s.Completed, s.ByIdle, s.rootFailed = flags&packedRootSeen != 0, flags&packedCompleted != 0, flags&packedByIdle != 0, flags&packedRootFailed != 0
	s.agentRank, s.rootRank = agentRank(at[1]), rootRank(at[2])
	s.TraceID, s.RootID = pcommon.TraceID(at[3:19]), pcommon.SpanID(at[19:27])
	s.Verdict = binary.LittleEndian.Uint64(at[27:35])
	for i, to := range [...]*int64{&s.first, &s.last, &s.started, &s.agentStart, &s.rootEnd} {
		*to = int64(binary.LittleEndian.Uint64(at[35+8*i:]))
	}
	s.Revision = u.int()
	s.service = u.service()
	s.sum.SessionID = key
	if flags&packedOtherID != 0 {
		s.sum.SessionID = u.text()
	}
	u.summary(&s.sum, flags&packedCounted != 0)
	u.calls(s)
	return s
}

func (u *unpacker) service() unique.Handle[Service] {
	if n := u.uint(); n > 0 {
		return u.symbols.services[n-1]
	}
	return unique.Make(Service{Name: textOf(u.name()), Version: textOf(u.name()), Attributes: textOf(u.name())})
}

func (u *unpacker) summary(s *analysis.Summary, counted bool) {
	s.AgentName, s.Status = textOf(u.name()), analysis.Status(textOf(u.name()))
	s.StartedAt, s.EndedAt = u.time(), u.time()
	if !counted {
		return
	}
	s.FirstEvent, s.LastEvent = u.time(), u.time()
	for _, c := range [...]*analysis.Counts{&s.EventTypes, &s.Models, &s.Tools} {
		n := int(u.uint())
		c.List = slices.Grow(c.List, n)[:n]
		for i := range c.List {
			c.List[i] = analysis.Count{Name: textOf(u.name()), N: u.int()}
		}
		c.Other = u.int()
	}
	there := binary.LittleEndian.Uint16(u.b)
	u.b = u.b[2:]
	for i, n := range countsOf(s) {
		if there&(1<<i) != 0 {
			*n = u.int()
		}
	}
	s.CostUSD = u.sum()
	u.durations(&s.Durations)
}

func (u *unpacker) durations(d *analysis.Durations) {
	d.N, d.Sum = u.int(), u.sum()
	n := int(u.uint())
	d.Exact = slices.Grow(d.Exact, n)[:n]
	for i := range d.Exact {
		d.Exact[i] = math.Float64frombits(u.fixed())
	}
	if n := u.uint(); n > 0 {
		d.Sketch = make([]analysis.Bucket, n-1)
	}
	for i := range d.Sketch {
		d.Sketch[i] = analysis.Bucket{Index: int32(u.int()), N: u.int()}
	}
}

func (u *unpacker) calls(s *Session) {
	n := u.uint()
	if n == 0 {
		return
	}
	l := s.newLog()
	l.list = slices.Grow(l.list, int(n))[:n]
	calls, numbered, before := u.b, true, &call{}
	for i := range l.list {
		c := &l.list[i]
		*c = call{}
		c.trace, c.parent, c.scope = before.trace, before.parent, before.scope
		there := u.b[0]
		name, answered, n := c.take(u.b, there)
		u.b = u.b[n:]
		numbered = numbered && name != unnumbered && answered != unnumbered && there&packedMore == 0
		c.name, c.answered = u.numbered(name), u.numbered(answered)
		if there&packedMore != 0 {
			c.more = &moreOfCall{cacheRead: u.int(), cacheWrite: u.int(), reasoning: u.int(), durationMS: math.Float64frombits(u.fixed()), other: u.name()}
		}
		l.count(c)
		before = c
	}
	// Names without a number are told once for all of a session.
	if numbered {
		l.woken = wokenCalls{int(n), append(l.woken.packed, calls[:len(calls)-len(u.b)]...), u.symbols}
	}
	if n > indexFrom {
		l.reindex()
	}
}

// take reads what put has written of a call. It returns the numbers of the names
// and how many bytes all took.
func (c *call) take(b []byte, there byte) (name, answered uint16, n int) {
	c.has, c.is, c.role, c.kind = figures(b[1]), marks(b[2]), callRole(b[3]), callKind(b[4])
	c.span = pcommon.SpanID(b[5:13])
	c.start = int64(binary.LittleEndian.Uint64(b[13:21]))
	c.end = int64(binary.LittleEndian.Uint64(b[21:29]))
	name, n = binary.LittleEndian.Uint16(b[29:31]), packedCall
	if there&packedSameTrace == 0 {
		c.trace = binary.LittleEndian.Uint64(b[n:])
		n += 8
	}
	if there&packedSameParent == 0 {
		c.parent = pcommon.SpanID(b[n:])
		n += 8
	}
	if there&packedSameScope == 0 {
		c.scope = binary.LittleEndian.Uint32(b[n:])
		n += 4
	}
	if there&packedUsage != 0 {
		c.in, c.out = int64(binary.LittleEndian.Uint64(b[n:])), int64(binary.LittleEndian.Uint64(b[n+8:]))
		n += 16
	}
	if there&packedID != 0 {
		c.id = binary.LittleEndian.Uint64(b[n:])
		n += 8
	}
	if there&packedCost != 0 {
		c.costUSD = math.Float64frombits(binary.LittleEndian.Uint64(b[n:]))
		n += 8
	}
	if there&packedAnswered != 0 {
		answered = binary.LittleEndian.Uint16(b[n:])
		n += 2
	}
	return name, answered, n
}

// numbered returns the name with a number, or the next when it has none.
func (u *unpacker) numbered(number uint16) name {
	if number == unnumbered {
		return u.name()
	}
	return u.symbols.names[number]
}

func (u *unpacker) name() name {
	i := u.uint()
	if i%2 == 0 {
		return u.symbols.names[i/2]
	}
	if i /= 2; i < uint64(len(u.names)) {
		return u.names[i]
	}
	made := nameOf(u.text())
	u.names = append(u.names, made)
	return made
}

func (u *unpacker) text() string {
	n := u.uint()
	s := string(u.b[:n])
	u.b = u.b[n:]
	return s
}

func (u *unpacker) time() time.Time {
	switch u.byte() {
	case timeNear:
		return time.Unix(0, int64(u.fixed())).UTC()
	case timeFar:
		seconds := u.int()
		return time.Unix(seconds, u.int()).UTC()
	default:
		return time.Time{}
	}
}

func (u *unpacker) sum() analysis.Sum { return analysis.Sum{Hi: u.int(), Lo: u.fixed()} }

func (u *unpacker) int() int64 {
	v, n := binary.Varint(u.b)
	u.b = u.b[n:]
	return v
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.b)
	u.b = u.b[n:]
	return v
}

func (u *unpacker) fixed() uint64 {
	v := binary.LittleEndian.Uint64(u.b)
	u.b = u.b[8:]
	return v
}

func (u *unpacker) byte() byte {
	v := u.b[0]
	u.b = u.b[1:]
	return v
}
