package agentlensprocessor

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/processor/agentlensprocessor/internal/metadata"
)

// What leaves the processor tells each call of a recorded trace once, in one
// session, to a reader that keeps no state, such as the exporter.
func TestStampedCapturesTellEachCallOnce(t *testing.T) {
	const captures = "../../internal/sessions/testdata/captures"
	paths, err := filepath.Glob(filepath.Join(captures, "*", "trace.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			var want struct {
				LLMCalls   int      `json:"llm_calls"`
				SessionIDs []string `json:"session_ids"`
			}
			raw, err := os.ReadFile(filepath.Join(filepath.Dir(path), "want.json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(raw, &want))

			raw, err = os.ReadFile(path)
			require.NoError(t, err)
			next := &consumertest.TracesSink{}
			p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), createDefaultConfig(), next)
			require.NoError(t, err)
			for line := range bytes.Lines(raw) {
				td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
				require.NoError(t, err)
				require.NoError(t, p.ConsumeTraces(t.Context(), td))
			}
			calls, sessions := 0, map[string]bool{}
			for _, td := range next.AllTraces() {
				for _, rs := range td.ResourceSpans().All() {
					for _, ss := range rs.ScopeSpans().All() {
						for _, span := range ss.Spans().All() {
							r := spanevent.ForScope(ss.Scope()).Read(span)
							if r.Role == spanevent.RoleEvent && r.Event.Type == analysis.EventLLMCall {
								calls++
								sessions[r.Key()] = true
							}
						}
					}
				}
			}
			assert.Equal(t, want.LLMCalls, calls)
			for _, id := range want.SessionIDs {
				assert.Equal(t, map[string]bool{id: true}, sessions)
			}
		})
	}
}
