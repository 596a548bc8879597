package insight

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Comparison sets two sessions side by side. Its JSON is the original's, with
// costs and the drift engine's report added.
type Comparison struct {
	ComparedAt time.Time        `json:"compared_at"`
	A          SessionFigures   `json:"session_a"`
	B          SessionFigures   `json:"session_b"`
	Deltas     map[string]Delta `json:"deltas"`
	Shared     Shared           `json:"shared"`
	// Drift is what the engine makes of one session against one: what changed
	// by how much, and that two sessions are no evidence.
	Drift *drift.Report `json:"drift"`
}

// SessionFigures are those of one session.
type SessionFigures struct {
	SessionID string                     `json:"session_id"`
	AgentName string                     `json:"agent_name"`
	Status    analysis.Status            `json:"status"`
	StartedAt time.Time                  `json:"started_at"`
	EndedAt   analysis.Opt[time.Time]    `json:"ended_at"`
	Metadata  map[string]json.RawMessage `json:"metadata"`

	DurationMS   analysis.Opt[float64]  `json:"session_duration_ms"`
	TokensIn     int64                  `json:"tokens_in"`
	TokensOut    int64                  `json:"tokens_out"`
	TotalTokens  int64                  `json:"total_tokens"`
	EventCount   int64                  `json:"event_count"`
	ErrorCount   int64                  `json:"error_count"`
	ProcessingMS float64                `json:"total_processing_ms"`
	AverageMS    float64                `json:"avg_event_duration_ms"`
	CostUSD      analysis.Opt[float64]  `json:"total_cost_usd"`
	Models       map[string]store.UseOf `json:"models"`
	Tools        map[string]store.UseOf `json:"tools"`
	EventTypes   map[string]int64       `json:"event_types"`
}

// Delta is how B differs from A.
type Delta struct {
	Absolute float64 `json:"absolute"`
	Percent  float64 `json:"percent"`
}

// Shared names what occurs in either session.
type Shared struct {
	EventTypes []string `json:"event_types"`
	Tools      []string `json:"tools"`
	Models     []string `json:"models"`
}

// Compare compares two sessions. It returns store.ErrNotFound for an unknown
// id.
func (s *Source) Compare(ctx context.Context, a, b string) (*Comparison, error) {
	c := &Comparison{ComparedAt: s.now().UTC()}
	var sums [2]*analysis.Summary
	var err error
	for i, side := range [...]struct {
		id string
		to *SessionFigures
	}{{a, &c.A}, {b, &c.B}} {
		if sums[i], err = s.figures(ctx, side.id, side.to); err != nil {
			return nil, err
		}
	}
	if c.Drift, err = drift.Compare(sums[:1], sums[1:]); err != nil {
		return nil, err
	}
	c.Deltas = map[string]Delta{
		"total_tokens":          delta(float64(c.A.TotalTokens), float64(c.B.TotalTokens)),
		"tokens_in":             delta(float64(c.A.TokensIn), float64(c.B.TokensIn)),
		"tokens_out":            delta(float64(c.A.TokensOut), float64(c.B.TokensOut)),
		"event_count":           delta(float64(c.A.EventCount), float64(c.B.EventCount)),
		"error_count":           delta(float64(c.A.ErrorCount), float64(c.B.ErrorCount)),
		"total_processing_ms":   delta(c.A.ProcessingMS, c.B.ProcessingMS),
		"avg_event_duration_ms": delta(c.A.AverageMS, c.B.AverageMS),
	}
	if c.A.CostUSD.OK && c.B.CostUSD.OK {
		c.Deltas["total_cost_usd"] = delta(c.A.CostUSD.V, c.B.CostUSD.V)
	}
	if c.A.DurationMS.OK && c.B.DurationMS.OK {
		c.Deltas["session_duration_ms"] = delta(c.A.DurationMS.V, c.B.DurationMS.V)
	}
	c.Shared = Shared{EventTypes: union(c.A.EventTypes, c.B.EventTypes), Tools: union(c.A.Tools, c.B.Tools), Models: union(c.A.Models, c.B.Models)}
	return c, nil
}

func (s *Source) figures(ctx context.Context, id string, f *SessionFigures) (*analysis.Summary, error) {
	sess, err := s.store.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	sum, err := s.store.Summary(ctx, id)
	if err != nil {
		return nil, err
	}
	use, err := s.store.Use(ctx, id)
	if err != nil {
		return nil, err
	}
	*f = SessionFigures{
		SessionID: sess.ID, AgentName: sess.AgentName, Status: sess.Status, StartedAt: sess.StartedAt, EndedAt: sess.EndedAt, Metadata: sess.Metadata,
		TokensIn: sess.TokensIn.Or(0), TokensOut: sess.TokensOut.Or(0), TotalTokens: sess.TokensIn.Or(0) + sess.TokensOut.Or(0),
		EventCount: sess.EventCount, ErrorCount: sess.ErrorCount, CostUSD: sess.CostUSD,
		ProcessingMS: sum.Durations.Sum.Float64(), AverageMS: sum.Durations.Mean(),
		Models: use.Models, Tools: use.Tools, EventTypes: map[string]int64{},
	}
	for _, t := range sum.EventTypes.List {
		f.EventTypes[t.Name] = t.N
	}
	if d, ok := sum.Duration(); ok && d >= 0 {
		f.DurationMS = analysis.Some(float64(d) / float64(time.Millisecond))
	}
	return sum, nil
}

// delta is b against a; the percentage is of a and, as the original has it,
// ±100 when there was none.
func delta(a, b float64) Delta {
	d := Delta{Absolute: math.Round((b-a)*1e6) / 1e6}
	switch {
	case a != 0:
		d.Percent = math.Round((b-a)/a*10000) / 100
	case b > 0:
		d.Percent = 100
	case b < 0:
		d.Percent = -100
	}
	return d
}

// union returns the keys of either map, sorted.
func union[V any](a, b map[string]V) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return append([]string{}, slices.Sorted(maps.Keys(all))...)
}
