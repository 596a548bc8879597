package compliance_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/internal/golden"
)

func TestGoldenCompliance(t *testing.T) {
	for _, c := range golden.Load(t, "compliance.jsonl") {
		t.Run(c.ID, func(t *testing.T) {
			input := golden.Decode[struct {
				Session golden.Session  `json:"session"`
				Policy  json.RawMessage `json:"policy"`
			}](t, c.Input)
			want := golden.Decode[map[string]any](t, c.Expected)

			policy, err := compliance.ParseJSON(input.Policy)
			require.NoError(t, err)
			checker, err := compliance.NewChecker(policy)
			require.NoError(t, err)
			raw, err := checker.CheckSession(input.Session.Analysis()).JSON()
			require.NoError(t, err)
			got := golden.Decode[map[string]any](t, raw)

			for _, key := range []string{"compliant", "passed", "failed", "skipped", "total_rules", "failed_errors", "failed_warnings"} {
				assert.Equal(t, want[key], got[key], key)
			}
			wantResults, gotResults := want["results"].([]any), got["results"].([]any)
			require.Len(t, gotResults, len(wantResults))
			for i := range wantResults {
				w, g := wantResults[i].(map[string]any), gotResults[i].(map[string]any)
				for _, key := range []string{"kind", "severity", "verdict", "actual", "expected"} {
					if x, ok := w[key].(float64); ok {
						assert.InDelta(t, x, g[key], 1e-9*math.Abs(x), "result %d: %s", i, key)
						continue
					}
					assert.Equal(t, w[key], g[key], "result %d: %s", i, key)
				}
			}
		})
	}
}
