package backend

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

// totals are the figures that several answers give.
type totals struct {
	sessions, events, errors, tokensIn, tokensOut int64
	cost                                          float64
}

// TestTotalsAreTheSameEverywhere: whatever is stored, the list, the search, the
// details, the exports, the analytics and the overview tell the same totals.
func TestTotalsAreTheSameEverywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := New(context.Background(), Config{Directory: t.TempDir()}, zap.NewNop())
		require.NoError(rt, err)
		defer func() { require.NoError(rt, s.Close()) }()
		get := func(path string, into any) string {
			rec := httptest.NewRecorder()
			s.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost"+path, nil))
			require.Equal(rt, 200, rec.Code, "%s: %s", path, rec.Body)
			if into != nil {
				require.NoError(rt, json.Unmarshal(rec.Body.Bytes(), into))
			}
			return rec.Body.String()
		}
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			rec := httptest.NewRecorder()
			s.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "http://localhost/events", strings.NewReader(anyBody(rt))))
			require.Equal(rt, http.StatusOK, rec.Code, rec.Body)
		}

		var list struct {
			Sessions []struct {
				ID        string   `json:"session_id"`
				Events    int64    `json:"event_count"`
				Errors    int64    `json:"error_count"`
				TokensIn  int64    `json:"total_tokens_in"`
				TokensOut int64    `json:"total_tokens_out"`
				Cost      *float64 `json:"total_cost_usd"`
			} `json:"sessions"`
			Totals struct {
				Sessions, Events, Errors int64
				TokensIn                 int64   `json:"total_tokens_in"`
				TokensOut                int64   `json:"total_tokens_out"`
				Cost                     float64 `json:"total_cost_usd"`
			} `json:"totals"`
		}
		get("/sessions/search?limit=1000", &list)
		var sum, exported totals
		var exact analysis.Sum
		for _, one := range list.Sessions {
			sum.sessions++
			sum.events, sum.errors, sum.tokensIn, sum.tokensOut = sum.events+one.Events, sum.errors+one.Errors, sum.tokensIn+one.TokensIn, sum.tokensOut+one.TokensOut

			var detail struct {
				Events []struct {
					Cost  *float64       `json:"cost_usd"`
					Error map[string]any `json:"error"`
				} `json:"events"`
				Cost   *float64 `json:"total_cost_usd"`
				Errors int64    `json:"error_count"`
			}
			get("/sessions/"+one.ID, &detail)
			require.Len(rt, detail.Events, int(one.Events))
			require.Equal(rt, one.Cost, detail.Cost)
			for _, e := range detail.Events {
				if e.Cost != nil {
					exact.Add(*e.Cost)
				}
			}
			var export struct {
				Session struct {
					TokensIn  int64 `json:"total_tokens_in"`
					TokensOut int64 `json:"total_tokens_out"`
				} `json:"session"`
				Summary struct {
					Events int64    `json:"total_events"`
					Tokens int64    `json:"total_tokens"`
					Errors int64    `json:"errors"`
					Cost   *float64 `json:"total_cost_usd"`
				} `json:"summary"`
			}
			get("/sessions/"+one.ID+"/export", &export)
			require.Equal(rt, one.Cost, export.Summary.Cost)
			require.Equal(rt, one.TokensIn+one.TokensOut, export.Summary.Tokens)
			exported.sessions++
			exported.events, exported.errors = exported.events+export.Summary.Events, exported.errors+export.Summary.Errors
			exported.tokensIn, exported.tokensOut = exported.tokensIn+export.Session.TokensIn, exported.tokensOut+export.Session.TokensOut

			rows, err := csv.NewReader(strings.NewReader(get("/sessions/"+one.ID+"/export?format=csv", nil))).ReadAll()
			require.NoError(rt, err)
			require.Len(rt, rows, int(one.Events)+1)
			var csvCost analysis.Sum
			for _, row := range rows[1:] {
				if v, err := strconv.ParseFloat(row[13], 64); err == nil {
					csvCost.Add(v)
				}
			}
			if one.Cost != nil {
				require.Equal(rt, *one.Cost, csvCost.Float64())
			}
		}
		sum.cost = exact.Float64()
		exported.cost = sum.cost
		require.Equal(rt, sum, exported)
		require.Equal(rt, sum, totals{list.Totals.Sessions, list.Totals.Events, list.Totals.Errors, list.Totals.TokensIn, list.Totals.TokensOut, list.Totals.Cost})

		var a struct {
			Overview struct {
				Sessions  int64   `json:"total_sessions"`
				Events    int64   `json:"total_events"`
				Errors    int64   `json:"total_errors"`
				TokensIn  int64   `json:"total_tokens_in"`
				TokensOut int64   `json:"total_tokens_out"`
				Cost      float64 `json:"total_cost_usd"`
			} `json:"overview"`
		}
		get("/analytics", &a)
		o := a.Overview
		require.Equal(rt, sum, totals{o.Sessions, o.Events, o.Errors, o.TokensIn, o.TokensOut, o.Cost})

		var over struct {
			Sessions struct {
				Sessions int64   `json:"sessions"`
				Cost     float64 `json:"total_cost_usd"`
			} `json:"sessions"`
			Costs struct {
				Total float64 `json:"total_cost_usd"`
			} `json:"costs"`
		}
		get("/api/overview?days=30", &over)
		require.Equal(rt, []any{sum.sessions, sum.cost, sum.cost}, []any{over.Sessions.Sessions, over.Sessions.Cost, over.Costs.Total})
		var costs struct {
			Total float64 `json:"total_cost"`
		}
		get("/analytics/costs", &costs)
		require.Equal(rt, sum.cost, costs.Total)
	})
}

// anyBody draws a batch of entries of some sessions of the last days.
func anyBody(t *rapid.T) string {
	now := time.Now().UTC().Add(-72 * time.Hour)
	var entries []string
	for range rapid.IntRange(1, 15).Draw(t, "entries") {
		id := fmt.Sprint("s", rapid.IntRange(0, 4).Draw(t, "session"))
		at := now.Add(time.Duration(rapid.IntRange(0, 48*3600).Draw(t, "second")) * time.Second).Format(time.RFC3339)
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			entries = append(entries, fmt.Sprintf(`{"event_type":"session_start","session_id":%q,"agent_name":"agent %d","timestamp":%q}`, id, rapid.IntRange(0, 2).Draw(t, "agent"), at))
		case 1:
			entries = append(entries, fmt.Sprintf(`{"event_type":"session_end","session_id":%q,"ended_at":%q,"status":"error","total_tokens_in":%d}`, id, at, rapid.IntRange(0, 99).Draw(t, "total")))
		case 2:
			entries = append(entries, fmt.Sprintf(`{"event_type":"error","session_id":%q,"event_id":"x%d","timestamp":%q}`, id, rapid.IntRange(0, 9).Draw(t, "event"), at))
		default:
			entries = append(entries, fmt.Sprintf(`{"event_type":"llm_call","session_id":%q,"event_id":"e%d","timestamp":%q,"model":"m%d","tokens_in":%d,"tokens_out":%d,"cost_usd":%v,"duration_ms":%d}`,
				id, rapid.IntRange(0, 30).Draw(t, "event"), at, rapid.IntRange(0, 2).Draw(t, "model"), rapid.IntRange(0, 1000).Draw(t, "in"), rapid.IntRange(0, 1000).Draw(t, "out"),
				rapid.Float64Range(0, 2).Draw(t, "cost"), rapid.IntRange(0, 5000).Draw(t, "ms")))
		}
	}
	return `{"events":[` + strings.Join(entries, ",") + `]}`
}
