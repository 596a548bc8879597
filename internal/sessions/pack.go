package sessions

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
	"unique"

	"github.com/agentlens/agentlens-otel/analysis"
)

// packer writes a session as bytes, without loss: a name once, or by the number of
// its symbol, and what a session has not counted not at all. What it writes never
// leaves the process.
type packer struct {
	b []byte
	// symbols are told by number.
	symbols *symbols
	// names are the other names, in their order.
	names []string
}

// What there is to say of a session with yes and no.
const (
	packedRootSeen = 1 << iota
	packedCompleted
	packedByIdle
	packedRootFailed
	packedOtherID
	packedCounted
)

// packedSession is what each session begins with: flags, ranks, trace, root,
// verdict and five times.
const packedSession = 3 + 16 + 8 + 8 + 5*8

// session appends all of a session but when its last span arrived. Of its log it
// appends the calls: the rest follows from them, but for when the next trim is
// due, which is at the limit again.
func (p *packer) session(s *Session) {
	p.names = p.names[:0]
	flags, counted := s.flags(), hasCounted(&s.sum)
	if counted {
		flags |= packedCounted
	}
	b := (*[packedSession]byte)(p.room(packedSession))
	b[0], b[1], b[2] = flags, byte(s.agentRank), byte(s.rootRank)
	copy(b[3:19], s.TraceID[:])
	copy(b[19:27], s.RootID[:])
	binary.LittleEndian.PutUint64(b[27:35], s.Verdict)
	for i, at := range [...]int64{s.first, s.last, s.started, s.agentStart, s.rootEnd} {
		binary.LittleEndian.PutUint64(b[35+8*i:], uint64(at))
	}
	p.int(s.Revision)
	p.service(s.service)
	if flags&packedOtherID != 0 {
		p.text(s.sum.SessionID)
	}
	p.summary(&s.sum, counted)
	p.calls(s.log)
	clear(p.names)
}

func (s *Session) flags() (flags byte) {
	if s.RootSeen {
		flags |= packedRootSeen
	}
	if s.Completed {
		flags |= packedCompleted
	}
	if s.ByIdle {
		flags |= packedByIdle
	}
	if s.rootFailed {
		flags |= packedRootFailed
	}
	if s.sum.SessionID != s.Key {
		flags |= packedOtherID
	}
	return flags
}

// service appends 1 + the number of a service, or 0 and the service.
func (p *packer) service(of unique.Handle[Service]) {
	if n, ok := p.symbols.serviceNumber(of); ok {
		p.uint(n + 1)
		return
	}
	p.uint(0)
	s := of.Value()
	p.name(s.Name)
	p.name(s.Version)
	p.name(s.Attributes)
}

// hasCounted reports whether a summary says more than who it is of and when it
// began and ended. That of a session whose calls are all in its log does not.
func hasCounted(s *analysis.Summary) bool {
	if !s.FirstEvent.IsZero() {
		return true
	}
	for _, c := range [...]*analysis.Counts{&s.EventTypes, &s.Models, &s.Tools} {
		if len(c.List) > 0 || c.Other != 0 {
			return true
		}
	}
	d := &s.Durations
	return s.Events|s.TokensIn|s.TokensOut|s.CacheReadTokens|s.CacheWriteTokens|s.ReasoningTokens|s.Priced|s.Unpriced|
		s.LLMCalls|s.ToolCalls|s.Decisions|s.Reasoned|s.Errors|s.ErrorLike|s.ToolLike|s.ToolErrorLike != 0 ||
		!s.LastEvent.IsZero() || s.CostUSD != analysis.Sum{} ||
		d.N != 0 || d.Sum != analysis.Sum{} || len(d.Exact) > 0 || d.Sketch != nil
}

// summary appends all but the id, and what it has counted only if it has.
func (p *packer) summary(s *analysis.Summary, counted bool) {
	p.name(s.AgentName)
	p.name(string(s.Status))
	p.time(s.StartedAt)
	p.time(s.EndedAt)
	if !counted {
		return
	}
	p.time(s.FirstEvent)
	p.time(s.LastEvent)
	for _, c := range [...]*analysis.Counts{&s.EventTypes, &s.Models, &s.Tools} {
		p.uint(uint64(len(c.List)))
		for i := range c.List {
			p.name(c.List[i].Name)
			p.int(c.List[i].N)
		}
		p.int(c.Other)
	}
	p.numbers(countsOf(s))
	p.sum(s.CostUSD)
	p.durations(&s.Durations)
}

// numbers appends which are not 0, a bit each, and those.
func (p *packer) numbers(all [16]*int64) {
	at, there := len(p.b), uint16(0)
	p.room(2)
	for i, n := range all {
		if *n != 0 {
			there |= 1 << i
			p.int(*n)
		}
	}
	binary.LittleEndian.PutUint16(p.b[at:], there)
}

// countsOf returns what a summary counts in whole numbers.
func countsOf(s *analysis.Summary) [16]*int64 {
	return [...]*int64{
		&s.Events, &s.TokensIn, &s.TokensOut, &s.CacheReadTokens, &s.CacheWriteTokens, &s.ReasoningTokens, &s.Priced, &s.Unpriced,
		&s.LLMCalls, &s.ToolCalls, &s.Decisions, &s.Reasoned, &s.Errors, &s.ErrorLike, &s.ToolLike, &s.ToolErrorLike,
	}
}

func (p *packer) durations(d *analysis.Durations) {
	p.int(d.N)
	p.sum(d.Sum)
	p.uint(uint64(len(d.Exact)))
	for _, ms := range d.Exact {
		p.fixed(math.Float64bits(ms))
	}
	// A sketch without buckets is another thing than none.
	if d.Sketch == nil {
		p.uint(0)
		return
	}
	p.uint(uint64(len(d.Sketch)) + 1)
	for _, b := range d.Sketch {
		p.int(int64(b.Index))
		p.int(b.N)
	}
}

// What there is of a call, and what is as in the call before.
const (
	packedSameTrace = 1 << iota
	packedSameParent
	packedSameScope
	packedUsage
	packedID
	packedCost
	packedAnswered
	packedMore
)

// packedCall is what each call has at the least: what there is of it, has, is,
// role, kind, span, when it began and ended, and the number of its name; mostPacked
// what it has at the most, but for names without a number and what few spans tell.
const (
	packedCall = 5 + 8 + 8 + 8 + 2
	mostPacked = packedCall + 8 + 8 + 4 + 2*8 + 8 + 8 + 2
)

// calls appends the calls. There are many: numbers of them are as wide as they
// are in memory, which takes a third more room than the shortest way, and a
// quarter of the time.
func (p *packer) calls(l *callLog) {
	if l == nil {
		p.uint(0)
		return
	}
	p.uint(uint64(len(l.list)))
	b, from, before := p.b, 0, &call{}
	if w := &l.woken; w.n > 0 && w.symbols == p.symbols {
		b, from, before = append(b, w.packed...), w.n, &l.list[w.n-1]
	}
	for i := from; i < len(l.list); i++ {
		c := &l.list[i]
		as := asModel
		if c.role == roleTool {
			as = asTool
		}
		there, name, answered := c.there(before), p.symbols.numberOf(c.name, as), p.symbols.numberOf(c.answered, asAnswered)
		b = slices.Grow(b, mostPacked)
		n := len(b)
		b = b[:n+c.put((*[mostPacked]byte)(b[n:n+mostPacked]), there, name, answered)]
		if name == unnumbered || answered == unnumbered || c.more != nil {
			p.b = b
			p.rest(c, name, answered)
			b = p.b
		}
		before = c
	}
	p.b = b
}

// rest appends what few calls have: names without a number, and what few spans tell.
func (p *packer) rest(c *call, name, answered uint16) {
	if name == unnumbered {
		p.name(textOf(c.name))
	}
	if answered == unnumbered {
		p.name(textOf(c.answered))
	}
	if m := c.more; m != nil {
		p.int(m.cacheRead)
		p.int(m.cacheWrite)
		p.int(m.reasoning)
		p.fixed(math.Float64bits(m.durationMS))
		p.name(textOf(m.other))
	}
}

// put writes what there is of a call, its names as numbers, but for what few spans
// tell, and returns how many bytes that takes.
func (c *call) put(b *[mostPacked]byte, there byte, name, answered uint16) int {
	b[0], b[1], b[2], b[3], b[4] = there, byte(c.has), byte(c.is), byte(c.role), byte(c.kind)
	copy(b[5:13], c.span[:])
	binary.LittleEndian.PutUint64(b[13:21], uint64(c.start))
	binary.LittleEndian.PutUint64(b[21:29], uint64(c.end))
	binary.LittleEndian.PutUint16(b[29:31], name)
	n := packedCall
	if there&packedSameTrace == 0 {
		binary.LittleEndian.PutUint64(b[n:], c.trace)
		n += 8
	}
	if there&packedSameParent == 0 {
		copy(b[n:n+8], c.parent[:])
		n += 8
	}
	if there&packedSameScope == 0 {
		binary.LittleEndian.PutUint32(b[n:], c.scope)
		n += 4
	}
	if there&packedUsage != 0 {
		binary.LittleEndian.PutUint64(b[n:], uint64(c.in))
		binary.LittleEndian.PutUint64(b[n+8:], uint64(c.out))
		n += 16
	}
	if there&packedID != 0 {
		binary.LittleEndian.PutUint64(b[n:], c.id)
		n += 8
	}
	if there&packedCost != 0 {
		binary.LittleEndian.PutUint64(b[n:], math.Float64bits(c.costUSD))
		n += 8
	}
	if there&packedAnswered != 0 {
		binary.LittleEndian.PutUint16(b[n:], answered)
		n += 2
	}
	return n
}

// there says what there is to tell of a call after the one before.
func (c *call) there(before *call) byte {
	var there byte
	if c.trace == before.trace {
		there |= packedSameTrace
	}
	if c.parent == before.parent {
		there |= packedSameParent
	}
	if c.scope == before.scope {
		there |= packedSameScope
	}
	if c.in|c.out != 0 {
		there |= packedUsage
	}
	if c.id != 0 {
		there |= packedID
	}
	if math.Float64bits(c.costUSD) != 0 {
		there |= packedCost
	}
	if c.answered != (name{}) {
		there |= packedAnswered
	}
	if c.more != nil {
		there |= packedMore
	}
	return there
}

// name appends twice the number of a symbol, or twice the number of another name
// + 1, followed by the name when it is new.
func (p *packer) name(s string) {
	if n, ok := p.symbols.number(s); ok {
		p.uint(2 * n)
		return
	}
	for i, have := range p.names {
		if have == s {
			p.uint(2*uint64(i) + 1)
			return
		}
	}
	p.uint(2*uint64(len(p.names)) + 1)
	p.text(s)
	p.names = append(p.names, s)
}

func (p *packer) text(s string) {
	p.uint(uint64(len(s)))
	p.b = append(p.b, s...)
}

// How a time is written.
const (
	timeZero = iota
	timeNear // in nanoseconds since 1970
	timeFar  // one that they do not reach
)

// nearSeconds bounds the seconds before and after 1970 of which all nanoseconds
// can be told.
const nearSeconds = math.MaxInt64 / int64(time.Second)

func (p *packer) time(t time.Time) {
	switch at := t.Unix(); {
	case t.IsZero():
		p.b = append(p.b, timeZero)
	case -nearSeconds < at && at < nearSeconds:
		b := p.room(9)
		b[0] = timeNear
		binary.LittleEndian.PutUint64(b[1:], uint64(t.UnixNano()))
	default:
		p.b = append(p.b, timeFar)
		p.int(t.Unix())
		p.int(int64(t.Nanosecond()))
	}
}

func (p *packer) sum(s analysis.Sum) {
	p.int(s.Hi)
	p.fixed(s.Lo)
}

// room appends some bytes, to be written.
func (p *packer) room(n int) []byte {
	at := len(p.b)
	p.b = slices.Grow(p.b, n)[:at+n]
	return p.b[at:]
}

func (p *packer) int(n int64)    { p.b = binary.AppendVarint(p.b, n) }
func (p *packer) uint(n uint64)  { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) fixed(n uint64) { p.b = binary.LittleEndian.AppendUint64(p.b, n) }
