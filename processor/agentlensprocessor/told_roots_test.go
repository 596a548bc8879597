package agentlensprocessor

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Of the roots that come, the latest are remembered, at least as many as there
// shall be and at most twice as many, each as it was last told; and when their
// bytes are full, the last one.
func TestToldRootsAreTheLatest(t *testing.T) {
	type told struct {
		key   spanKey
		rep   report
		spans [2]ptrace.Span
	}
	forgotten, again, failed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		maxRoots := rapid.SampledFrom([]int{1, 2, 3, 8, 20, 40}).Draw(t, "roots")
		maxBytes := rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "bytes")
		keys := rapid.SampledFrom([]int{3, 30, 200}).Draw(t, "keys")
		asked := rapid.SampledFrom([]int{1, 7, 60}).Draw(t, "asked")
		reports := rapid.SliceOfN(reportGen, 1, 8).Draw(t, "reports")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		roots := newToldRoots(maxRoots, maxBytes)
		var all []told
		for i := range 60 {
			n := r.IntN(keys)
			w := told{key: spanKey{trace: pcommon.TraceID{byte(n % 2)}, span: pcommon.SpanID{byte(n)}}, rep: reports[r.IntN(len(reports))]}
			w.spans = stamped(&w.rep)
			roots.add(w.key, &w.rep)
			for _, c := range w.rep.verdict.compliance {
				failed += c.Failed
			}
			all = append(all, w)
			if (i+1)%asked != 0 {
				continue
			}

			last := map[spanKey]bool{}
			for i := len(all) - 1; i >= 0; i-- {
				w := &all[i]
				if last[w.key] {
					again++
					continue
				}
				last[w.key] = true
				got := roots.of(w.key)
				if got == nil {
					forgotten++
					require.Greater(t, len(last), 1)
					require.True(t, len(last) > maxRoots || maxBytes == 1)
					continue
				}
				require.Same(t, w.rep.verdict.drift, got.verdict.drift)
				require.Same(t, w.rep.verdict.forecast, got.verdict.forecast)
				for i, span := range stamped(got) {
					require.Equal(t, w.spans[i], span)
				}
			}
			most := maxRoots
			if maxBytes == 1 {
				most = 1
			}
			require.LessOrEqual(t, roots.young.index.taken, most)
			require.LessOrEqual(t, roots.old.index.taken, most)
			require.Nil(t, roots.of(spanKey{trace: pcommon.TraceID{9}}))
		}
	})
	require.Positive(t, forgotten)
	require.Positive(t, again)
	require.Positive(t, failed)
}

// Two spans whose keys have the same hash are two.
func TestToldRootsOfOneTag(t *testing.T) {
	roots := newToldRoots(10, 1<<20)
	byTag := map[uint32]spanKey{}
	for i := uint64(1); ; i++ {
		var k spanKey
		binary.BigEndian.PutUint64(k.span[:], i)
		tag := roots.tag(&k)
		other, found := byTag[tag]
		if byTag[tag] = k; !found {
			continue
		}
		for i, k := range []spanKey{k, other} {
			roots.add(k, &report{summary: &analysis.Summary{TokensIn: int64(i)}})
		}
		require.Zero(t, roots.of(k).summary.TokensIn)
		require.EqualValues(t, 1, roots.of(other).summary.TokensIn)
		return
	}
}

// stamped returns a root of the SDK and one of another library that the report
// stands on.
func stamped(rep *report) (spans [2]ptrace.Span) {
	for i, role := range [...]spanevent.Role{spanevent.RoleSession, spanevent.RoleWrapper} {
		spans[i] = ptrace.NewSpan()
		spans[i].SetEndTimestamp(1_790_000_000_000_000_000)
		rep.stamp(spans[i], &spanevent.Reading{Role: role})
	}
	return spans
}

var (
	toldDrifts    = []*driftFinding{nil, {Score: 1}, {Score: 2, Status: drift.MinorDrift}}
	toldForecast  = forecast.Result{TotalPredictedCost: 3, DailyPredictions: make([]forecast.DailyPrediction, 2)}
	toldForecasts = []*forecastFinding{nil, {Result: &toldForecast}, {Result: &toldForecast, News: true}}
)

var reportGen = rapid.Custom(func(t *rapid.T) report {
	small := rapid.Int64Range(0, 300)
	s := &analysis.Summary{
		SessionID: fmt.Sprint("session-", small.Draw(t, "id")), AgentName: rapid.SampledFrom([]string{"", "agent"}).Draw(t, "agent"),
		Status: rapid.SampledFrom([]analysis.Status{analysis.StatusCompleted, analysis.StatusError, "", "cancelled"}).Draw(t, "status"),
		Events: small.Draw(t, "events"), TokensIn: rapid.Int64Min(0).Draw(t, "in"), TokensOut: small.Draw(t, "out"),
		Priced: rapid.Int64Range(0, 1).Draw(t, "priced"), Errors: small.Draw(t, "errors"),
	}
	s.CostUSD.Add(rapid.Float64Range(0, 1e12).Draw(t, "usd"))
	rep := report{summary: s, verdict: verdict{
		drift: rapid.SampledFrom(toldDrifts).Draw(t, "drift"), forecast: rapid.SampledFrom(toldForecasts).Draw(t, "forecast"),
	}}
	for range rapid.IntRange(0, 2).Draw(t, "policies") {
		policy := compliance.Policy{Name: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "policy")}
		half, hundred := 0.5, 100.0
		for _, rule := range []compliance.Rule{
			{Kind: compliance.MaxTokens, Limit: &hundred},
			{Kind: compliance.MinEvents, Limit: &hundred},
			{Kind: compliance.MaxErrorRate, Limit: &half},
			{Kind: compliance.RequireReasoning},
		} {
			rule.Severity = rapid.SampledFrom([]compliance.Severity{compliance.SeverityError, compliance.SeverityWarning}).Draw(t, "severity")
			policy.Rules = append(policy.Rules, rule)
		}
		checker, err := compliance.NewChecker(&policy)
		require.NoError(t, err)
		rep.verdict.compliance = append(rep.verdict.compliance, checker.Check(s))
	}
	return rep
})
