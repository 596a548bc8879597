package agentlensbackend

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// figures returns the names of the budgets, and how many sessions must have
// ended before drift is told, as the API has them.
func figures(t *testing.T, e *backendExtension) (budgets []string, wants string) {
	t.Helper()
	status, text := send(t, "POST", e.url()+"events", `{"events":[{"event_type":"llm_call","session_id":"s","event_id":"e","timestamp":"`+
		time.Now().UTC().Format(time.RFC3339)+`","model":"gpt-4o","tokens_in":1000,"tokens_out":10}]}`, nil)
	require.Equal(t, 200, status, text)
	_, text = send(t, "GET", e.url()+"api/forecast", "", nil)
	var costs struct {
		Budgets []struct{ Name string } `json:"budgets"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &costs), text)
	for _, b := range costs.Budgets {
		budgets = append(budgets, b.Name)
	}
	status, text = send(t, "GET", e.url()+"api/agents/a/drift", "", nil)
	require.Equal(t, 409, status, text)
	var refusal struct{ Error string }
	require.NoError(t, json.Unmarshal([]byte(text), &refusal))
	return budgets, refusal.Error[len("there are not enough ended sessions to compare: 0 in the baseline, 0 in the current window, want "):]
}

func notify(t *testing.T, e *backendExtension, processors, pipeline string) (warnings []string) {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	e.set.Logger = zap.New(core)
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(`{processors: ` + processors + `, service: {pipelines: {traces: {processors: ` + pipeline + `}}}}`))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	require.NoError(t, e.NotifyConfigSnapshot(context.Background(), extensioncapabilities.NewConfigSnapshot(conf, nil)))
	for _, l := range logs.All() {
		warnings = append(warnings, l.Message)
	}
	return warnings
}

const ours = `{agentlens: {idle_timeout: 1s, drift: {mode: rolling, baseline_sessions: 60, current_sessions: 20}, forecast: {method: linear, budgets: [{name: team, limit_usd: 5}, {name: other, agent: a, limit_usd: 5}]}},
agentlens/unused: {drift: {current_sessions: 3}}, batch: {}}`

func TestFiguresFollowTheProcessor(t *testing.T) {
	e := startExtension(t, nil)
	budgets, wants := figures(t, e)
	require.Empty(t, budgets)
	require.Equal(t, "31 or more in all", wants)

	require.Empty(t, notify(t, e, ours, `[batch, agentlens]`))
	budgets, wants = figures(t, e)
	require.Equal(t, []string{"team"}, budgets)
	require.Equal(t, "21 or more in all", wants)

	require.Empty(t, notify(t, startExtension(t, nil), `{batch: {}}`, `[batch]`))
}

// TestOwnFiguresComeFirst: and that they differ is said.
func TestOwnFiguresComeFirst(t *testing.T) {
	e := startExtension(t, map[string]any{
		"drift":   map[string]any{"current_sessions": 10},
		"budgets": []any{map[string]any{"name": "mine", "limit_usd": 1}},
	})
	warnings := notify(t, e, ours, `[agentlens]`)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "compare other sessions")
	budgets, wants := figures(t, e)
	require.Equal(t, []string{"mine"}, budgets)
	require.Equal(t, "11 or more in all", wants)

	e = startExtension(t, nil)
	require.Len(t, notify(t, e, `{agentlens: {drift: {mode: version, baseline_sessions: 9, current_sessions: 5}}}`, `[agentlens]`), 1)
	require.Len(t, notify(t, e, `{agentlens: {drift: {mode: rolling, baseline_sessions: 9, current_sessions: 5}}, agentlens/b: {drift: {mode: rolling, baseline_sessions: 9, current_sessions: 6}}}`, `[agentlens/b, agentlens]`), 1)
	_, wants = figures(t, e)
	require.Equal(t, "6 or more in all", wants)
}
