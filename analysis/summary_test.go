package analysis

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var eventGen = rapid.Custom(func(t *rapid.T) Event {
	e := Event{
		Type: EventType(rapid.SampledFrom([]string{"llm_call", "tool_call", "decision", "error", "generic", "Tool_ERROR"}).Draw(t, "type")),
		// Whole seconds keep the generated times readable in a failure.
		Timestamp: time.Unix(1_780_000_000+rapid.Int64Range(0, 3600).Draw(t, "s"), 0).UTC(),
		Model:     rapid.SampledFrom([]string{"", "gpt-4o", "claude-3.5-sonnet"}).Draw(t, "model"),
	}
	if rapid.Bool().Draw(t, "tokens") {
		e.TokensIn = Some(rapid.Int64Range(0, 1<<40).Draw(t, "in"))
		e.TokensOut = Some(rapid.Int64Range(0, 1<<40).Draw(t, "out"))
	}
	if rapid.Bool().Draw(t, "measured") {
		e.DurationMS = Some(rapid.Float64Range(0, 1e7).Draw(t, "ms"))
	}
	if rapid.Bool().Draw(t, "priced") {
		e.CostUSD = Some(rapid.Float64Range(0, 10).Draw(t, "usd"))
	}
	if rapid.Bool().Draw(t, "tool") {
		e.ToolCall = &ToolCall{Name: rapid.StringN(1, 3, 8).Draw(t, "tool name")}
	}
	if rapid.Bool().Draw(t, "reasoned") {
		e.DecisionTrace = &DecisionTrace{Reasoning: rapid.SampledFrom([]string{"", "  ", "because"}).Draw(t, "why")}
	}
	if rapid.Bool().Draw(t, "failed") {
		e.Error = &Failure{Type: "timeout"}
	}
	return e
})

func summaryOf(events []Event) *Summary {
	s := NewSummary("s1", "agent")
	for i := range events {
		s.Observe(&events[i])
	}
	return s
}

// Merging the summaries of any parts, in any order, is observing everything.
func TestSummaryMergeEqualsObserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(eventGen, 0, 200).Draw(t, "events")
		whole := summaryOf(events)

		shuffled := slices.Clone(events)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		parts := NewSummary("s1", "agent")
		for len(shuffled) > 0 {
			n := rapid.IntRange(1, len(shuffled)).Draw(t, "part")
			parts.Merge(summaryOf(shuffled[:n]))
			shuffled = shuffled[n:]
		}
		want, err := json.Marshal(whole)
		require.NoError(t, err)
		got, err := json.Marshal(parts)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
	})
}

func TestSummaryCounts(t *testing.T) {
	at := time.Date(2026, 2, 14, 10, 30, 5, 0, time.UTC)
	s := summaryOf([]Event{
		{
			Type: EventLLMCall, Timestamp: at, DurationMS: Some(2000.0), Model: "gpt-4", TokensIn: Some(int64(1200)), TokensOut: Some(int64(350)),
			CostUSD: Some(0.5), DecisionTrace: &DecisionTrace{Reasoning: "long context"},
		},
		{Type: EventLLMCall, Timestamp: at, Model: "unknown", Error: &Failure{Type: "429"}},
		{Type: EventToolCall, Timestamp: at, ToolCall: &ToolCall{Name: "web_search"}, DurationMS: Some(1000.0)},
		{Type: "tool_error", Timestamp: at},
		{Type: EventDecision, Timestamp: at, DecisionTrace: &DecisionTrace{Reasoning: " \n"}},
		{Type: EventError, Timestamp: at},
	})
	assert.EqualValues(t, 6, s.Events)
	assert.EqualValues(t, 1550, s.Tokens())
	assert.EqualValues(t, 2, s.LLMCalls)
	assert.EqualValues(t, 1, s.Priced)
	assert.EqualValues(t, 1, s.Unpriced)
	assert.EqualValues(t, 3, s.Decisions)
	assert.EqualValues(t, 1, s.Reasoned)
	assert.EqualValues(t, 2, s.Errors)
	assert.EqualValues(t, 3, s.ErrorLike)
	assert.EqualValues(t, 2, s.ToolLike)
	assert.EqualValues(t, 1, s.ToolErrorLike)
	assert.Equal(t, []string{"gpt-4", "unknown"}, s.Models.Names())
	assert.Equal(t, 1500.0, s.Durations.Mean())
	assert.Equal(t, at.Add(-2*time.Second), s.FirstEvent)
	_, ended := s.Duration()
	assert.False(t, ended)
}

func TestDurationsQuantile(t *testing.T) {
	for _, n := range []int{1, 2, 20, 64, 65, 1000, 50_000} {
		r := rand.New(rand.NewPCG(7, uint64(n)))
		var d Durations
		all := make([]float64, n)
		for i := range all {
			all[i] = math.Exp(r.NormFloat64()*2 + 5)
			d.Add(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
			want := all[min(int(q*float64(n)), n-1)]
			got := d.Quantile(q)
			if n <= exactDurations {
				assert.Equal(t, want, got, "n=%d q=%g", n, q)
			} else {
				assert.InEpsilon(t, want, got, 0.01, "n=%d q=%g", n, q)
			}
		}
		assert.LessOrEqual(t, len(d.Sketch), 4300)
	}
}

func TestDurationsExtremes(t *testing.T) {
	var d Durations
	for range 100 {
		d.Add(0)
		d.Add(math.MaxFloat64)
		d.Add(math.SmallestNonzeroFloat64)
	}
	assert.Zero(t, d.Quantile(0))
	assert.InEpsilon(t, 1e18, d.Quantile(1), 0.01)
	assert.Len(t, d.Sketch, 2)
}

// Exact durations are sorted however they came.
func TestDurationsAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1, 7, 7.25, 1e9}), 1, exactDurations).Draw(t, "durations")
		var d Durations
		for _, ms := range all {
			d.Add(ms)
		}
		require.Equal(t, slices.Sorted(slices.Values(all)), d.Exact)
	})
}

// What is added is the number itself, but for what is below the last bit: also of
// the largest numbers, and of the smallest.
func TestSumOfOneNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(
			rapid.Float64(), rapid.Float64Range(-100, 100), rapid.Float64Range(-1e-15, 1e-15), rapid.Float64Range(1<<61, 1<<64),
		).Draw(t, "x")
		var s Sum
		s.Add(x)
		want := new(big.Int).Lsh(big.NewInt(math.MaxInt64>>1), 64)
		if math.Abs(x) < 1<<63 {
			new(big.Float).SetMantExp(big.NewFloat(math.Abs(x)), 64).Int(want)
		}
		if x < 0 {
			want.Neg(want)
		}
		got := new(big.Int).Lsh(big.NewInt(s.Hi), 64)
		got.Add(got, new(big.Int).SetUint64(s.Lo))
		require.Equal(t, want.String(), got.String())
	})
}

func TestSumIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 50).Draw(t, "xs")
		var forward, backward Sum
		for _, x := range xs {
			forward.Add(x)
		}
		for _, x := range slices.Backward(xs) {
			backward.Add(x)
		}
		assert.Equal(t, forward, backward)
		plain := 0.0
		for _, x := range xs {
			plain += x
		}
		assert.InDelta(t, plain, forward.Float64(), 1e-6)
	})
	var s Sum
	for range 10 {
		s.Add(0.1)
	}
	assert.Equal(t, 1.0, s.Float64(), "ten times 0.1, which plain float64 adds to 0.9999999999999999")
	s = Sum{}
	s.Add(-0.25)
	assert.Equal(t, -0.25, s.Float64())
	s.Add(math.NaN())
	s.Add(math.Inf(1))
	assert.Equal(t, -0.25, s.Float64())
}

func TestCountsAreBoundedAndOrderFree(t *testing.T) {
	names := make([]string, 2*MaxNames)
	for i := range names {
		names[i] = string(rune('a'+i%26)) + string(rune(0x4e00+i))
	}
	var up, down Counts
	for round := range 3 {
		for i := range names {
			up.Add(names[(i+round)%len(names)], 1)
			down.Add(names[len(names)-1-i], 1)
		}
	}
	assert.Equal(t, up, down)
	assert.Len(t, up.List, MaxNames)
	assert.EqualValues(t, 3*len(names), up.Total())
	assert.EqualValues(t, 3, up.Get(up.List[0].Name))
	assert.Zero(t, up.Get("never"))
}

// A few names are counted as many are.
func TestCountsAreThoseOfAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "ab", "abc", "b", "ba", "c", "d", "e", "f", "g", "h"}), 0, 30).Draw(t, "names")
		var c Counts
		want := map[string]int64{}
		for _, name := range names {
			c.Add(name, 2)
			want[name] += 2
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), append([]string(nil), c.Names()...))
		for name, n := range want {
			require.Equal(t, n, c.Get(name))
		}
		require.Zero(t, c.Get("aa"))
	})
}

// What is known of the documented types is what would be read out of them.
func TestTypesLikeErrorOrTool(t *testing.T) {
	for _, typ := range []EventType{
		EventLLMCall, EventToolCall, EventDecision, EventError, EventGeneric,
		"", "tool", "tool_error", "Tool_ERROR", "agent_error", "agent_call", "TOOL", "erro", "errortool", "Tool_Call",
	} {
		errorLike, toolLike := typ.likeErrorOrTool()
		lower := strings.ToLower(string(typ))
		assert.Equal(t, strings.Contains(lower, "error"), errorLike, typ)
		assert.Equal(t, strings.Contains(lower, "tool"), toolLike, typ)
	}
}

func TestEventValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		event Event
		field string
	}{
		{"empty is fine", Event{}, ""},
		{"zero figures are fine", Event{TokensIn: Some(int64(0)), DurationMS: Some(0.0), CostUSD: Some(0.0)}, ""},
		{"negative tokens", Event{TokensOut: Some(int64(-1))}, "tokens_out"},
		{"negative duration", Event{DurationMS: Some(-0.5)}, "duration_ms"},
		{"NaN duration", Event{DurationMS: Some(math.NaN())}, "duration_ms"},
		{"infinite cost", Event{CostUSD: Some(math.Inf(1))}, "cost_usd"},
		{"tool duration", Event{ToolCall: &ToolCall{DurationMS: Some(-1.0)}}, "tool_call.duration_ms"},
		{"confidence above 1", Event{DecisionTrace: &DecisionTrace{Confidence: Some(1.1)}}, "confidence"},
		{"NaN confidence", Event{DecisionTrace: &DecisionTrace{Confidence: Some(math.NaN())}}, "confidence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.event.Validate()
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			var fieldErr *FieldError
			require.ErrorAs(t, err, &fieldErr)
			assert.Equal(t, c.field, fieldErr.Field)
		})
	}
}

func TestOptJSON(t *testing.T) {
	b, err := json.Marshal(Event{Type: EventLLMCall, TokensIn: Some(int64(0))})
	require.NoError(t, err)
	assert.JSONEq(t, `{"event_type":"llm_call","timestamp":"0001-01-01T00:00:00Z","tokens_in":0}`, string(b))
	var e Event
	require.NoError(t, json.Unmarshal([]byte(`{"tokens_in":null,"tokens_out":7}`), &e))
	assert.False(t, e.TokensIn.OK)
	assert.Equal(t, int64(7), e.TokensOut.V)
	assert.Error(t, json.Unmarshal([]byte(`{"tokens_in":"seven"}`), &e))
}

func BenchmarkSummaryObserve(b *testing.B) {
	e := Event{
		Type: EventLLMCall, Timestamp: time.Now(), Model: "gpt-4o", TokensIn: Some(int64(1200)), TokensOut: Some(int64(350)),
		DurationMS: Some(2340.5), CostUSD: Some(0.01),
	}
	s := NewSummary("s", "a")
	b.ReportAllocs()
	for b.Loop() {
		s.Observe(&e)
	}
}
