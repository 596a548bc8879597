package agentlensprocessor

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// BenchmarkAlerts is the time of an event to a rule that counts errors by agent
// and one that reads every output by session: of 20,000 sessions, whose events
// come in two times four, with others in between. Every second event is a call
// with an output of 50 B to 5 kB, or with none.
func BenchmarkAlerts(b *testing.B) {
	for name, most := range map[string]int{"content": 5_000, "none": 0} {
		b.Run(name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			fourEngines(cfg)
			a, err := newAlertEngine(cfg.Alerts)
			require.NoError(b, err)
			outputs := benchOutputs(most)
			const sessions, apart = 20_000, 1_000
			ids := make([]string, sessions)
			for i := range ids {
				ids[i] = fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)
			}
			now := time.Unix(1_790_000_000, 0)
			events := make([]analysis.Event, 256)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				part, session := n/4%2, n/8
				session = (session - part*apart + sessions) % sessions
				e := &events[n%len(events)]
				e.SessionID, e.Type, e.Timestamp, e.Output = ids[session], analysis.EventLLMCall, now.Add(time.Duration(n)*time.Microsecond), nil
				if n%2 == 0 {
					e.Output = outputs[n/2%len(outputs)]
				} else if e.Type = analysis.EventToolCall; n%401 == 0 {
					e.Type = analysis.EventError
				}
				n++
				if fired, late := a.observe(e, agentNames[session%len(agentNames)], e.Timestamp); late || len(fired) > 6 {
					b.Fatal(fired, late)
				}
			}
		})
	}
}

var agentNames = []string{"planner", "searcher", "writer", "reviewer"}

// benchOutputs are answers of up to a number of bytes, with numbers, dates and
// hyphens in them, but nothing that a rule looks for.
func benchOutputs(most int) []json.RawMessage {
	if most == 0 {
		return []json.RawMessage{nil}
	}
	r := rand.New(rand.NewPCG(3, 4))
	words := []string{"the", "agent", "found", "no", "result", "for", "order", "A-7731", "of", "2026-05-14,", "a", "well-known", "policy", "120.50", "EUR", "(see", "below)"}
	outputs := make([]json.RawMessage, 500)
	for i := range outputs {
		out := []byte(`{"response":"`)
		for size := float64(most) / math.Pow(100, r.Float64()); float64(len(out)) < size; {
			out = append(append(out, words[r.IntN(len(words))]...), ' ')
		}
		outputs[i] = append(out, `"}`...)
	}
	return outputs
}
