package drift

import (
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

// A restored window holds what the original held, answers the same, and goes
// on as the original would.
func TestSnapshotRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		summaries := rapid.SliceOfN(summaryGen, 1, 20).Draw(t, "summaries")
		w := windowOfSummaries(t, rapid.IntRange(1, 30).Draw(t, "bound"), summaries)
		var restored Window
		require.NoError(t, json.Unmarshal([]byte(asJSON(t, w)), &restored))
		assert.Equal(t, asJSON(t, w), asJSON(t, &restored))

		other := windowOfSummaries(t, 30, rapid.SliceOfN(summaryGen, 1, 10).Draw(t, "other"))
		want, err := CompareWindows(w, other, DefaultConfig())
		require.NoError(t, err)
		got, err := CompareWindows(&restored, other, DefaultConfig())
		require.NoError(t, err)
		assert.Equal(t, want, got)

		w.Merge(other)
		restored.Merge(other)
		assert.Equal(t, asJSON(t, w), asJSON(t, &restored))
	})
}

func TestSnapshotKeepsTheRevision(t *testing.T) {
	var w, restored Window
	require.NoError(t, w.AddRevision(summaryOfEvents(3), 2))
	require.NoError(t, json.Unmarshal([]byte(asJSON(t, &w)), &restored))
	require.NoError(t, restored.AddRevision(summaryOfEvents(5), 1))
	assert.Equal(t, asJSON(t, &w), asJSON(t, &restored))
}

func TestSessionSnapshotRefusals(t *testing.T) {
	for text, field := range map[string]string{
		`{"version":2,"max_sessions":1,"sessions":[{"metrics":{}}]}`:                  "version",
		`{"version":1,"max_sessions":1}`:                                              "sessions",
		`{"version":1,"max_sessions":2,"sessions":[{"metrics":{}},{"metrics":{}}]}`:   "sessions",
		`{"version":1,"max_sessions":1,"sessions":[{"metrics":{"total_tokens":-1}}]}`: "total_tokens",
	} {
		packed, err := AppendSession(nil, analysis.NewSummary("kept", "agent"), 1)
		require.NoError(t, err)
		s := Session(packed)
		before := asJSON(t, &s)
		assertFieldError(t, json.Unmarshal([]byte(text), &s), field)
		assert.Equal(t, before, asJSON(t, &s))
	}
}

func TestSnapshotRefusals(t *testing.T) {
	for _, c := range []struct{ name, json, field string }{
		{"version", `{"version":2,"max_sessions":5}`, "version"},
		{"no version", `{}`, "version"},
		{"bound", `{"version":1,"max_sessions":0}`, "max_sessions"},
		{"negative", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{"total_tokens":-1}}]}`, "total_tokens"},
		{"rate above 1", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{"error_rate":1.5}}]}`, "error_rate"},
		{"unknown metric", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{"speed":1}}]}`, "metrics"},
		{"negative count", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{},"tools":{"list":[{"name":"a","n":-2}]}}]}`, "tools.a"},
		{"negative other", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{},"models":{"other":-2}}]}`, "models.other"},
		{"name twice", `{"version":1,"max_sessions":5,"sessions":[{"metrics":{},"event_types":{"list":[{"name":"a","n":1},{"name":"a","n":1}]}}]}`, "event_types"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Window
			require.NoError(t, w.Add(analysis.NewSummary("kept", "agent")))
			assertFieldError(t, json.Unmarshal([]byte(c.json), &w), c.field)
			assert.Equal(t, 1, w.Len(), "a refused snapshot leaves the window as it was")
		})
	}
	var w Window
	assert.Error(t, w.UnmarshalJSON([]byte(`[]`)))
}

// Whatever a snapshot holds, it is refused, or gives a window that works.
func FuzzSnapshot(f *testing.F) {
	var w Window
	for _, s := range randomSummaries(3, 1, 1) {
		require.NoError(f, w.Add(s))
	}
	f.Add([]byte(asJSON(f, &w)))
	f.Add([]byte(`{"version":1,"max_sessions":5,"sessions":[{"metrics":{"error_rate":1},"tools":{"list":[{"name":"a","n":9223372036854775807},{"name":"b","n":9223372036854775807}]}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var restored Window
		if json.Unmarshal(b, &restored) != nil || restored.Len() == 0 {
			return
		}
		r, err := CompareWindows(&restored, &w, DefaultConfig())
		require.NoError(t, err)
		asJSON(t, r)
		assert.NotEmpty(t, r.Format())
		var again Window
		require.NoError(t, json.Unmarshal([]byte(asJSON(t, &restored)), &again))
		assert.Equal(t, asJSON(t, &restored), asJSON(t, &again))
	})
}

// A session by itself goes through JSON whole, and so into a window.
func TestSessionThroughJSON(t *testing.T) {
	const stored = `{"version":1,"max_sessions":1,"sessions":[{"session_id":"s-1","end":"2026-11-23T05:00:00.000000001Z","revision":3,
		"metrics":{"event_count":2,"total_tokens":30,"tokens_per_event":15,"error_rate":0.5,"tool_call_rate":0},
		"models":{"list":[{"name":"gpt-4o","n":2}],"other":4},"event_types":{"list":[{"name":"error","n":1},{"name":"llm_call","n":1}]}}]}`
	var s Session
	require.Nil(t, s.ID())
	require.NoError(t, json.Unmarshal([]byte(stored), &s))
	require.Equal(t, "s-1", string(s.ID()))
	require.JSONEq(t, stored, asJSON(t, &s))
	w, err := NewWindow(1)
	require.NoError(t, err)
	w.AddSession(s)
	require.JSONEq(t, stored, asJSON(t, w))
}

// A session that was never set is that of an empty summary.
func TestZeroSession(t *testing.T) {
	var s Session
	w, err := NewWindow(2)
	require.NoError(t, err)
	w.AddSession(s)
	require.Equal(t, 1, w.Len())
	require.JSONEq(t, asJSON(t, &s), `{"version":1,"max_sessions":1,"sessions":[{"metrics":{}}]}`)

	early := analysis.NewSummary("early", "agent")
	early.EndedAt = time.Unix(-1, 0)
	require.NoError(t, w.Add(early))
	w.AddSession(s)
	require.Equal(t, []string{"", "early"}, []string{w.samples()[0].id, w.samples()[1].id}, "the time of no end is the earliest")
}

// Numbers are written as encoding/binary writes them, which reads them.
func TestNumbersArePackedAsByBinary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, n := range []int64{rapid.Int64().Draw(t, "n"), rapid.Int64Range(-200, 200).Draw(t, "small")} {
			require.Equal(t, binary.AppendVarint([]byte("x"), n), appendInt([]byte("x"), n))
			require.Equal(t, binary.AppendUvarint([]byte("x"), uint64(n)), appendUint([]byte("x"), uint64(n)))
		}
	})
}

// What orders a session in a window, and finds it there, is in a line of memory.
func TestHeldIsALineOfMemory(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(held{}), uintptr(64))
}
