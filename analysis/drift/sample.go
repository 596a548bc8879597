package drift

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// The metrics, in the order of their names.
const (
	avgLatency = iota
	costUSD
	errorRate
	eventCount
	p95Latency
	tokensPerEvent
	toolCallRate
	toolFailureRate
	totalTokens
	numMetrics
)

// metrics says for each metric its name, which family of the score it belongs
// to, and how it is tested.
var metrics = [numMetrics]struct {
	name   string
	family family
	// unit makes a skewed metric so large that log(1+unit*x) is a log scale
	// for it; 0 marks a rate, which is between 0 and 1 and stays as it is.
	unit float64
}{
	avgLatency:      {"avg_latency_ms", latencyFamily, 1},
	costUSD:         {"cost_usd", tokenFamily, 1e6},
	errorRate:       {"error_rate", errorFamily, 0},
	eventCount:      {"event_count", volumeFamily, 1},
	p95Latency:      {"p95_latency_ms", latencyFamily, 1},
	tokensPerEvent:  {"tokens_per_event", tokenFamily, 1},
	toolCallRate:    {"tool_call_rate", behaviourFamily, 0},
	toolFailureRate: {"tool_failure_rate", errorFamily, 0},
	totalTokens:     {"total_tokens", tokenFamily, 1},
}

// Figures lie between these bounds, or are 0, so that no variance or ratio of
// them overflows. The upper is that of the duration sketch: 30 million years in
// milliseconds.
const (
	minFigure = 1e-18
	maxFigure = 1e18
)

// sample is what a window keeps of a session.
type sample struct {
	id string
	// end is when the session ended, as far as is known, in UTC.
	end      time.Time
	revision int64
	// values holds the metrics, 0 where nothing was observed, as in the
	// original; known has the bit of each metric that was observed.
	values [numMetrics]float64
	known  uint16

	models, tools, eventTypes analysis.Counts
}

func (s *sample) knows(metric int) bool { return s.known&(1<<metric) != 0 }

func (s *sample) events() float64 { return s.values[eventCount] }

// check returns a *analysis.FieldError for the first figure of a summary that
// cannot be.
func check(s *analysis.Summary) error {
	if s == nil {
		return &analysis.FieldError{Field: "session", Value: nil, Want: "a session's summary"}
	}
	for _, f := range [...]struct {
		name string
		v    int64
	}{
		{"events", s.Events},
		{"tokens_in", s.TokensIn},
		{"tokens_out", s.TokensOut},
		{"error_like", s.ErrorLike},
		{"tool_like", s.ToolLike},
		{"tool_error_like", s.ToolErrorLike},
		{"cost_usd", s.CostUSD.Hi},
		{"durations.n", s.Durations.N},
	} {
		if f.v < 0 {
			return &analysis.FieldError{Field: f.name, Value: f.v, Want: "0 or more"}
		}
	}
	return nil
}

// measure sets all but the names.
func (x *sample) measure(s *analysis.Summary, revision int64) {
	x.id, x.end, x.revision = s.SessionID, endOf(s), revision
	x.values = [numMetrics]float64{}
	v := &x.values
	x.known = 1<<eventCount | 1<<totalTokens
	v[eventCount] = float64(s.Events)
	v[totalTokens] = float64(s.TokensIn) + float64(s.TokensOut)
	if s.Durations.N > 0 {
		x.known |= 1<<avgLatency | 1<<p95Latency
		v[avgLatency] = bounded(s.Durations.Mean())
		v[p95Latency] = bounded(s.Durations.Quantile(0.95))
	}
	if s.Events > 0 {
		x.known |= 1<<tokensPerEvent | 1<<errorRate | 1<<toolCallRate
		n := float64(s.Events)
		v[tokensPerEvent] = v[totalTokens] / n
		v[errorRate] = float64(s.ErrorLike) / n
		v[toolCallRate] = float64(s.ToolLike) / n
	}
	if s.ToolLike > 0 {
		x.known |= 1 << toolFailureRate
		v[toolFailureRate] = float64(s.ToolErrorLike) / float64(s.ToolLike)
	}
	// The cost of a session is known when every one of its calls has a price.
	if s.Priced > 0 && s.Unpriced == 0 {
		x.known |= 1 << costUSD
		v[costUSD] = bounded(s.CostUSD.Float64())
	}
}

func bounded(x float64) float64 {
	if x < minFigure {
		return 0
	}
	return min(x, maxFigure)
}

// endOf returns the best known end of a session: that of its own, else of its
// last event, else its start.
func endOf(s *analysis.Summary) time.Time {
	for _, t := range [...]time.Time{s.EndedAt, s.LastEvent, s.StartedAt} {
		if !t.IsZero() {
			return t.Round(0).UTC()
		}
	}
	return time.Time{}
}

// compare orders samples by all but id and end.
func (x *sample) compare(o *sample) int {
	return cmp.Or(
		slices.Compare(x.values[:], o.values[:]),
		cmp.Compare(x.known, o.known),
		compareCounts(&x.models, &o.models),
		compareCounts(&x.tools, &o.tools),
		compareCounts(&x.eventTypes, &o.eventTypes),
		cmp.Compare(x.revision, o.revision),
	)
}

func compareCounts(a, b *analysis.Counts) int {
	return cmp.Or(
		slices.CompareFunc(a.List, b.List, func(x, y analysis.Count) int {
			return cmp.Or(strings.Compare(x.Name, y.Name), cmp.Compare(x.N, y.N))
		}),
		cmp.Compare(a.Other, b.Other),
	)
}

// logScale returns the value on the scale it is compared on.
func logScale(metric int, x float64) float64 {
	if u := metrics[metric].unit; u > 0 {
		return math.Log1p(u * x)
	}
	return x
}

// plainScale undoes logScale.
func plainScale(metric int, y float64) float64 {
	if u := metrics[metric].unit; u > 0 {
		return math.Expm1(y) / u
	}
	return y
}
