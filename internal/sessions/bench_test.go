package sessions

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// One event of a session that AgentLens's SDK wrote.
func BenchmarkObserveOwn(b *testing.B) {
	table, now := NewTable(testLimits), time.Unix(0, 0)
	readings := sdkSession("s", 1, 1)[:1]
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		r := readings[0]
		r.SpanID = pcommon.SpanID{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 1, 0, 0, byte(n)}
		table.Observe(&r, Service{}, now, ignore, ignore)
	}
}

// One call of a foreign library, in sessions of ten.
func BenchmarkObserveForeign(b *testing.B) {
	limits := testLimits
	limits.MaxSessions = 10_000
	table, now := NewTable(limits), time.Unix(0, 0)
	b.ReportAllocs()
	var key string
	for n := 0; b.Loop(); n++ {
		if n%10 == 0 {
			key = fmt.Sprint("s", n/10)
		}
		r := told{what: "llm", scope: "sdk", id: 1, from: n % 10 * 100, to: n%10*100 + 50, model: "m", in: 120, out: 18, session: key}.reading()
		r.SpanID = pcommon.SpanID{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 1, 0, 0, byte(n)}
		table.Observe(&r, Service{}, now, ignore, ignore)
	}
}

// The 200th of calls that run at once in one session.
func BenchmarkObserveParallel(b *testing.B) {
	s := newSession("s", Service{})
	for i := range 200 {
		r := told{what: "llm", scope: "sdk", id: byte(i + 1), from: i, to: 1000 - i, model: "m", in: 120, out: 18, session: "s"}.reading()
		c, _ := newCall(&r)
		s.keep(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, repeats := s.log.copies(199); repeats {
			b.Fatal("taken for a repetition")
		}
	}
}

// A call told by two libraries, resolved when the session of twenty calls ends.
func BenchmarkAssemble(b *testing.B) {
	s := newSession("s", Service{})
	for i := range 20 {
		for copy, scope := range []string{"fw", "sdk"} {
			r := told{what: "llm", scope: scope, trace: byte(copy), id: byte(i + 1), from: i * 100, to: i*100 + 50, model: "m", in: 120, out: 18, session: "s"}.reading()
			c, _ := newCall(&r)
			s.keep(c)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Assemble()
	}
}
