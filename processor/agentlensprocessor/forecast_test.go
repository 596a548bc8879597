package agentlensprocessor

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// The usage of an agent is that of its events, whichever agent's came before, and
// all usage is that of all; also where the engine goes on from what it stored, and
// when some events cannot be.
func TestUsageIsOfItsAgent(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		cfg := createDefaultConfig().(*Config).Forecast
		cfg.HistoryDays = 3
		engine, err := newForecastEngine(cfg)
		require.NoError(t, err)
		newHistory := func() *forecast.Forecaster {
			history, err := forecast.New(forecast.WithHistory(cfg.HistoryDays), forecast.WithNow(func() time.Time { return engine.latest }))
			require.NoError(t, err)
			return history
		}
		total, agents := newHistory(), map[string]*forecast.Forecaster{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			agent := rapid.SampledFrom([]string{"", "a", "a", "b"}).Draw(t, "agent")
			e := analysis.Event{
				Timestamp: time.Date(2026, 5, rapid.IntRange(1, 6).Draw(t, "day"), 12, 0, 0, 0, time.UTC),
				TokensIn:  analysis.Some(rapid.Int64Range(-1, 9).Draw(t, "in")),
				CostUSD:   analysis.Some(rapid.SampledFrom([]float64{0, 0.1, 0.25, 7e9, -1, math.NaN()}).Draw(t, "usd")),
				Model:     rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "model"),
			}
			_, err := engine.add(&e, agent)
			record := forecast.UsageRecord{Timestamp: e.Timestamp, TokensIn: e.TokensIn.V, CostUSD: e.CostUSD.V, Model: e.Model}
			wantErr := total.Add(record)
			if wantErr == nil {
				if agents[agent] == nil {
					agents[agent] = newHistory()
				}
				wantErr = agents[agent].Add(record)
			} else {
				refused++
			}
			if wantErr != nil {
				require.ErrorContains(t, err, wantErr.Error())
			} else {
				require.NoError(t, err)
			}

			stored, err := engine.snapshot()
			require.NoError(t, err)
			var s usageSnapshot
			require.NoError(t, json.Unmarshal(stored, &s))
			requireStored(t, total, s.Total)
			require.Len(t, s.Agents, len(agents))
			for name, history := range agents {
				requireStored(t, history, s.Agents[name])
			}
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				require.NoError(t, engine.restore(stored))
			}
		}
	})
	require.Positive(t, refused)
}

func requireStored(t require.TestingT, want *forecast.Forecaster, got json.RawMessage) {
	b, err := want.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, string(b), string(got))
}
