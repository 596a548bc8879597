package drift

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// randomSummary is a session of a usual shape; scale multiplies its tokens.
func randomSummary(r *rand.Rand, id string, at time.Time, scale float64) *analysis.Summary {
	s := analysis.NewSummary(id, "agent")
	for i := range 20 + r.IntN(30) {
		at = at.Add(time.Second)
		e := analysis.Event{Type: analysis.EventLLMCall, Timestamp: at, DurationMS: analysis.Some(300 * math.Exp(r.NormFloat64()))}
		if i%3 == 0 {
			e.Type = analysis.EventToolCall
			e.ToolCall = &analysis.ToolCall{Name: "tool-" + strconv.Itoa(r.IntN(5))}
		} else {
			e.Model = "model-" + strconv.Itoa(r.IntN(3))
			e.TokensIn = analysis.Some(int64(scale * 600 * math.Exp(r.NormFloat64())))
		}
		if r.IntN(50) == 0 {
			e.Error = &analysis.Failure{Type: "timeout"}
		}
		s.Observe(&e)
	}
	s.EndedAt = at
	return s
}

func randomSummaries(n int, seed uint64, scale float64) []*analysis.Summary {
	r := rand.New(rand.NewPCG(seed, 0))
	out := make([]*analysis.Summary, n)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range out {
		out[i] = randomSummary(r, "session-"+strconv.Itoa(i), at.Add(time.Duration(i)*time.Minute), scale)
	}
	return out
}

// BenchmarkAdd adds sessions to a full window.
func BenchmarkAdd(b *testing.B) {
	sessions := randomSummaries(5000, 1, 1)
	w, err := NewWindow(500)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s := sessions[i%len(sessions)]
		// Each round is a day later, as new sessions are.
		s.EndedAt = s.EndedAt.Add(5000 * time.Minute)
		if err := w.Add(s); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Msessions/s")
}

// BenchmarkAddSession holds sessions back, and adds them to a full window when a
// thousand others have come.
func BenchmarkAddSession(b *testing.B) {
	sessions := randomSummaries(5000, 1, 1)
	w, err := NewWindow(130)
	if err != nil {
		b.Fatal(err)
	}
	var waiting [1000]Session
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s, held := sessions[i%len(sessions)], &waiting[i%len(waiting)]
		w.AddSession(*held)
		s.EndedAt = s.EndedAt.Add(5000 * time.Minute)
		var err error
		if *held, err = AppendSession((*held)[:0], s, 1); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, c := range []struct {
		name  string
		n     int
		scale float64
	}{{"100 unchanged", 100, 1}, {"100 changed", 100, 2}, {"10 unchanged", 10, 1}, {"500 changed", 500, 2}} {
		b.Run(c.name, func(b *testing.B) {
			d, err := NewDetector(DefaultConfig())
			if err != nil {
				b.Fatal(err)
			}
			for i, s := range randomSummaries(c.n, 1, 1) {
				_, _ = i, d.AddBaseline(s)
			}
			for i, s := range randomSummaries(c.n, 2, c.scale) {
				_, _ = i, d.AddCurrent(s)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Detect(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
