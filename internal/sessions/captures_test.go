package sessions

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// want is what a correct reader gets out of a capture.
type want struct {
	LLMCalls     int64            `json:"llm_calls"`
	LLMErrors    int64            `json:"llm_errors"`
	InputTokens  int64            `json:"input_tokens"`
	OutputTokens int64            `json:"output_tokens"`
	ToolCalls    map[string]int64 `json:"tool_calls"`
	ToolErrors   int64            `json:"tool_errors"`
	SessionIDs   []string         `json:"session_ids"`
	AgentNames   []string         `json:"agent_names"`
}

// capturesDir is where the recorded traces are.
func capturesDir() string {
	if dir := os.Getenv("AGENTLENS_CAPTURES_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "captures")
}

func captureNames(t testing.TB) []string {
	t.Helper()
	traces, err := filepath.Glob(filepath.Join(capturesDir(), "*", "trace.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, traces, "no captures in %s", capturesDir())
	var names []string
	for _, path := range traces {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// readCapture returns the readings of a capture in the order of arrival.
func readCapture(t testing.TB, name string) []spanevent.Reading {
	t.Helper()
	file, err := os.Open(filepath.Join(capturesDir(), name, "trace.jsonl"))
	require.NoError(t, err)
	defer file.Close()
	var out []spanevent.Reading
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(lines.Bytes())
		require.NoError(t, err)
		out = append(out, readAll(td)...)
	}
	require.NoError(t, lines.Err())
	return out
}

func readAll(td ptrace.Traces) []spanevent.Reading {
	var out []spanevent.Reading
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			scope := spanevent.ForScope(ss.Scope())
			for _, span := range ss.Spans().All() {
				if r := scope.Read(span); r.Role != spanevent.RoleNone {
					out = append(out, r)
				}
			}
		}
	}
	return out
}

var testLimits = Limits{MaxSessions: 1 << 20, IdleTimeout: time.Minute, Retention: time.Hour, MaxSpanIDs: 1 << 20}

// assembled returns the sessions of a stream, each as it is in the end.
func assembled(readings []spanevent.Reading) map[string]*Session {
	table := NewTable(testLimits)
	now := time.Unix(0, 0)
	ignore := func(*Session, Event) {}
	for _, r := range readings {
		table.Observe(&r, Service{}, now, ignore, ignore)
	}
	return table.finish(now)
}

// finish completes the sessions that are open and returns all. That they are
// settled by the same sweep must change nothing.
func (t *Table) finish(now time.Time) map[string]*Session {
	out, idle := map[string]*Session{}, map[string]analysis.Summary{}
	t.Sweep(now.Add(t.limits.IdleTimeout), func(s *Session, _ Event) { idle[s.Key] = copied(s.Summary) })
	t.Each(func(s *Session) {
		held, sum := *s, copied(s.Summary)
		held.Summary = &sum
		out[s.Key] = &held
		if was, ok := idle[s.Key]; ok && !reflect.DeepEqual(was, sum) {
			panic(fmt.Sprintf("settled, the session is %+v and was %+v", sum, was))
		}
	})
	return out
}

// made is what the reader makes of a capture, in the words of want.json. Calls
// and errors are counted by the sessions; ids and names are those that spans
// themselves give.
func made(readings []spanevent.Reading) want {
	w := want{ToolCalls: map[string]int64{}, SessionIDs: []string{}, AgentNames: []string{}}
	for _, r := range readings {
		if r.SessionID != "" && !slices.Contains(w.SessionIDs, r.SessionID) {
			w.SessionIDs = append(w.SessionIDs, r.SessionID)
		}
		if r.AgentName != "" && !slices.Contains(w.AgentNames, r.AgentName) {
			w.AgentNames = append(w.AgentNames, r.AgentName)
		}
	}
	slices.Sort(w.SessionIDs)
	slices.Sort(w.AgentNames)
	for _, s := range assembled(readings) {
		sum := s.Summary
		w.LLMCalls += sum.LLMCalls
		w.InputTokens += sum.TokensIn
		w.OutputTokens += sum.TokensOut
		w.ToolErrors += sum.ToolErrorLike
		w.LLMErrors += sum.Errors - sum.ToolErrorLike
		for _, tool := range sum.Tools.List {
			w.ToolCalls[tool.Name] += tool.N
		}
	}
	return w
}

func TestCaptures(t *testing.T) {
	right := 0
	names := captureNames(t)
	var table []byte
	table = fmt.Appendf(table, "%-36s %5s %6s %7s %7s %5s %6s  %s\n", "capture", "calls", "errors", "in", "out", "tools", "failed", "")
	for _, name := range names {
		ok := t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(capturesDir(), name, "want.json"))
			require.NoError(t, err)
			var w want
			require.NoError(t, json.Unmarshal(raw, &w))
			slices.Sort(w.SessionIDs)
			slices.Sort(w.AgentNames)
			got := made(readCapture(t, name))
			var tools int64
			for _, n := range got.ToolCalls {
				tools += n
			}
			table = fmt.Appendf(table, "%-36s %5d %6d %7d %7d %5d %6d  ", name,
				got.LLMCalls, got.LLMErrors, got.InputTokens, got.OutputTokens, tools, got.ToolErrors)
			assert.Equal(t, w, got)
		})
		if ok {
			right++
			table = append(table, "ok\n"...)
		} else {
			table = append(table, "WRONG\n"...)
		}
	}
	fmt.Printf("%s%d of %d captures read right\n", table, right, len(names))
}
