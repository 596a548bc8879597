package alert_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
)

// flatEvent is an event as the alert cases write it.
type flatEvent struct {
	golden.Event
	Message *string         `json:"message"`
	Output  json.RawMessage `json:"output_data"`
}

func (f *flatEvent) analysis() analysis.Event {
	s := golden.Session{Events: []golden.Event{f.Event}}
	e := s.Analysis().Events[0]
	e.Output = f.Output
	if f.Message != nil {
		e.Error = &analysis.Failure{Message: *f.Message}
	}
	return e
}

func TestGoldenAlerts(t *testing.T) {
	for _, c := range golden.Load(t, "alerts.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			input := golden.Decode[struct {
				Events    []flatEvent     `json:"events"`
				Condition json.RawMessage `json:"condition"`
			}](t, c.Input)
			want := golden.Decode[struct {
				Fires          bool  `json:"fires"`
				Matched        []int `json:"matched"`
				MatchedBinding bool  `json:"matched_binding"`
			}](t, c.Expected)

			rules, err := alert.ParseJSON([]byte(`{"rules":[{"name":"golden","condition":` + string(input.Condition) + `}]}`))
			require.NoError(t, err)
			engine, err := alert.NewEngine(rules)
			require.NoError(t, err)
			events := make([]analysis.Event, len(input.Events))
			for i := range events {
				events[i] = input.Events[i].analysis()
			}
			alerts := engine.Evaluate(events)
			require.Equal(t, want.Fires, len(alerts) == 1)
			if want.Fires && want.MatchedBinding {
				assert.Equal(t, want.Matched, alerts[0].MatchedEvents)
			}
		})
	}
}
