// Package golden loads the golden cases: inputs with the answers of the
// original Python modules. analysis/testdata/golden/FORMAT.md says what they
// hold. Only tests of the engines import it.
package golden

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// DirVariable names the environment variable with another folder of cases.
const DirVariable = "AGENTLENS_GOLDEN_DIR"

// Case is one line of a golden file.
type Case struct {
	ID            string          `json:"id"`
	Tags          []string        `json:"tags"`
	Input         json.RawMessage `json:"input"`
	Expected      json.RawMessage `json:"expected"`
	ExpectedIfUTC json.RawMessage `json:"expected_if_utc"`
}

// Load reads the cases of one file, such as "forecast.jsonl", from the folder
// named by AGENTLENS_GOLDEN_DIR, else from the project's own.
func Load(t testing.TB, file string) []Case {
	t.Helper()
	dir := os.Getenv(DirVariable)
	if dir == "" {
		_, self, _, ok := runtime.Caller(0)
		require.True(t, ok)
		dir = filepath.Join(filepath.Dir(self), "..", "..", "testdata", "golden")
	}
	f, err := os.Open(filepath.Join(dir, file))
	require.NoError(t, err)
	defer f.Close()

	var cases []Case
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if len(line) > 1 {
			var c Case
			require.NoError(t, json.Unmarshal(line, &c), "line %d of %s", len(cases)+1, file)
			cases = append(cases, c)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.NotEmpty(t, cases, "no cases in %s", filepath.Join(dir, file))
	return cases
}

// Decode reads one part of a case.
func Decode[T any](t testing.TB, raw json.RawMessage) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// Session is a session as the golden files write it: its events are flat.
type Session struct {
	SessionID string          `json:"session_id"`
	AgentName string          `json:"agent_name"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at"`
	Status    analysis.Status `json:"status"`
	TokensIn  int64           `json:"total_tokens_in"`
	TokensOut int64           `json:"total_tokens_out"`
	Events    []Event         `json:"events"`
}

// Event is a flat event of a golden session.
type Event struct {
	Type       analysis.EventType    `json:"event_type"`
	Timestamp  time.Time             `json:"timestamp"`
	Model      string                `json:"model"`
	TokensIn   analysis.Opt[int64]   `json:"tokens_in"`
	TokensOut  analysis.Opt[int64]   `json:"tokens_out"`
	ToolName   string                `json:"tool_name"`
	Reasoning  string                `json:"reasoning"`
	DurationMS analysis.Opt[float64] `json:"duration_ms"`
}

// Analysis returns the session in the model's own shape.
func (s *Session) Analysis() *analysis.Session {
	out := &analysis.Session{
		ID: s.SessionID, AgentName: s.AgentName, Status: s.Status,
		StartedAt: s.StartedAt, EndedAt: s.EndedAt,
		TotalTokensIn: s.TokensIn, TotalTokensOut: s.TokensOut,
	}
	for _, e := range s.Events {
		ev := analysis.Event{
			SessionID: s.SessionID, Type: e.Type, Timestamp: e.Timestamp, Model: e.Model,
			TokensIn: e.TokensIn, TokensOut: e.TokensOut, DurationMS: e.DurationMS,
		}
		if e.ToolName != "" {
			ev.ToolCall = &analysis.ToolCall{Name: e.ToolName}
		}
		if e.Reasoning != "" {
			ev.DecisionTrace = &analysis.DecisionTrace{Reasoning: e.Reasoning}
		}
		out.Events = append(out.Events, ev)
	}
	return out
}
