package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// fill stores n sessions a minute apart, each with an event of some bytes.
func fill(t *testing.T, s *Store, n, size int) {
	t.Helper()
	for i := range n {
		at := wire.At(time.Date(2026, 2, 14, 10, i, 0, 0, time.UTC))
		ingest(t, s, wire.Event{
			EventType: "llm_call", SessionID: fmt.Sprintf("s%04d", i), EventID: "e", Timestamp: at, Model: "m",
			InputData: json.RawMessage(`"` + strings.Repeat("x", size) + `"`),
		})
	}
}

func TestSweepByAge(t *testing.T) {
	s := open(t)
	fill(t, s, 120, 10)
	s.now = func() time.Time { return time.Date(2026, 2, 14, 13, 0, 0, 0, time.UTC) }
	gone, err := s.Sweep(context.Background(), Retention{MaxAge: 2 * time.Hour})
	require.NoError(t, err)
	require.EqualValues(t, 60, gone.Sessions)
	require.EqualValues(t, 60, gone.Events)
	list, total, err := s.Sessions(context.Background(), SessionQuery{Limit: 1000})
	require.NoError(t, err)
	require.Equal(t, 60, total)
	require.Equal(t, "s0060", list[total-1].ID, "what is two hours old to the minute stays")
	sums, err := s.SessionSums(context.Background(), Range{})
	require.NoError(t, err)
	require.Equal(t, 60, sums.Sessions)

	// A session started long ago that still says something stays.
	ingest(t, s, wire.Event{EventType: "generic", SessionID: "long", EventID: "1", Timestamp: second(0)})
	ingest(t, s, wire.Event{EventType: "generic", SessionID: "long", EventID: "2", Timestamp: wire.At(s.now())})
	gone, err = s.Sweep(context.Background(), Retention{MaxAge: 2 * time.Hour})
	require.NoError(t, err)
	require.Zero(t, gone.Sessions)

	gone, err = s.Sweep(context.Background(), Retention{})
	require.NoError(t, err)
	require.Zero(t, gone, "no limits, nothing goes")
}

func TestSweepBySize(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	fill(t, s, 200, 20_000)
	tagged, _, err := s.AddTags(ctx, "s0000", []string{"old"})
	require.NoError(t, err)
	require.Len(t, tagged, 1)
	before, err := s.Size(ctx)
	require.NoError(t, err)
	limit := before.Used / 2
	gone, err := s.Sweep(ctx, Retention{MaxBytes: limit})
	require.NoError(t, err)
	require.Positive(t, gone.Sessions)

	after, err := s.Size(ctx)
	require.NoError(t, err)
	require.LessOrEqual(t, after.File, limit, "the room is given back")
	require.Equal(t, before.File-after.File, gone.Bytes)
	info, err := os.Stat(s.path)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), limit)

	list, total, err := s.Sessions(ctx, SessionQuery{Limit: 1000})
	require.NoError(t, err)
	require.EqualValues(t, 200-gone.Sessions, total)
	require.Equal(t, "s0199", list[0].ID, "the oldest went")
	_, err = s.Session(ctx, "s0000")
	require.ErrorIs(t, err, ErrNotFound)
	tags, err := s.Tags(ctx)
	require.NoError(t, err)
	require.Empty(t, tags, "with everything said of them")
	require.Equal(t, 1, ingest(t, s, wire.Event{EventType: "llm_call", SessionID: "s0000", EventID: "e", Timestamp: second(0)}), "and may come again")
}

func TestFilters(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	add := func(id, agent string, at int, status analysis.Status, model, tool string, tokens int64) {
		e := wire.Event{EventType: "llm_call", SessionID: id, EventID: "e", Timestamp: second(at), Model: model, TokensIn: analysis.Some(tokens)}
		if tool != "" {
			e.ToolCall = &wire.ToolCall{Name: tool}
		}
		ingest(t, s, wire.Event{EventType: wire.TypeSessionStart, SessionID: id, AgentName: agent, Timestamp: second(at), Metadata: map[string]any{"env": "env 50%_" + id}}, e)
		if status != "active" {
			ingest(t, s, wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: second(at + 1), Status: status})
		}
	}
	add("one", "a", 1, "completed", "m1", "search", 10)
	add("two", "a", 2, "error", "m2", "", 30)
	add("three", "b", 3, "active", "m1", "shell", 20)
	_, _, err := s.AddTags(ctx, "two", []string{"compliance:fail", "x"})
	require.NoError(t, err)
	_, _, err = s.Annotate(ctx, "three", wire.Annotation{Text: "Alert (critical): rule Spike: …", Author: "agentlens", Type: "warning"})
	require.NoError(t, err)

	for name, c := range map[string]struct {
		q    SessionQuery
		want []string
	}{
		"all":           {SessionQuery{}, []string{"three", "two", "one"}},
		"agent":         {SessionQuery{Agent: "a"}, []string{"two", "one"}},
		"status":        {SessionQuery{Status: "error"}, []string{"two"}},
		"tag":           {SessionQuery{Tags: []string{"compliance:fail"}}, []string{"two"}},
		"both tags":     {SessionQuery{Tags: []string{"x", "compliance:fail"}}, []string{"two"}},
		"unknown tag":   {SessionQuery{Tags: []string{"x", "y"}}, nil},
		"model":         {SessionQuery{Model: "m1"}, []string{"three", "one"}},
		"tool":          {SessionQuery{Tool: "search"}, []string{"one"}},
		"model is tool": {SessionQuery{Model: "search"}, nil},
		"from":          {SessionQuery{From: second(2).Time}, []string{"three", "two"}},
		"to":            {SessionQuery{To: second(2).Time}, []string{"one"}},
		"text: id":      {SessionQuery{Text: "TWO"}, []string{"two"}},
		"text: meta":    {SessionQuery{Text: "50%_o"}, []string{"one"}},
		"text: like":    {SessionQuery{Text: "5_%"}, nil},
		"text: tag":     {SessionQuery{Text: "compliance"}, []string{"two"}},
		"text: note":    {SessionQuery{Text: "spike"}, []string{"three"}},
		"tokens":        {SessionQuery{MinTokens: analysis.Some[int64](15), MaxTokens: analysis.Some[int64](25)}, []string{"three"}},
		"sort":          {SessionQuery{Sort: "tokens"}, []string{"two", "three", "one"}},
		"ascending":     {SessionQuery{Ascending: true}, []string{"one", "two", "three"}},
		"together":      {SessionQuery{Agent: "a", Model: "m1", Status: "completed"}, []string{"one"}},
	} {
		c.q.Limit = 10
		page, total, err := s.Sessions(ctx, c.q)
		require.NoError(t, err, name)
		var got []string
		for _, sess := range page {
			got = append(got, sess.ID)
		}
		require.Equal(t, c.want, got, name)
		require.Equal(t, len(c.want), total, name)
		totals, err := s.SessionTotals(ctx, c.q)
		require.NoError(t, err)
		require.Equal(t, len(c.want), totals.Sessions, name)
	}
}

func TestSearchEvents(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	ingest(t, s,
		wire.Event{EventType: "llm_call", SessionID: "s", EventID: "a", Timestamp: second(1), Model: "m", InputData: []byte(`{"prompt":"The Needle"}`)},
		wire.Event{EventType: "tool_call", SessionID: "s", EventID: "b", Timestamp: second(2), ToolCall: &wire.ToolCall{Name: "search", Input: []byte(`"needle"`)}},
		wire.Event{EventType: "error", SessionID: "t", EventID: "c", Timestamp: second(3), Error: &analysis.Failure{Type: "X", Message: "no needle"}},
		wire.Event{EventType: "llm_call", SessionID: "t", EventID: "d", Timestamp: second(4)})
	for name, c := range map[string]struct {
		q    EventQuery
		want []string
	}{
		"text":    {EventQuery{Text: "needle"}, []string{"c", "b", "a"}},
		"session": {EventQuery{SessionID: "s", Text: "needle"}, []string{"b", "a"}},
		"type":    {EventQuery{Type: "llm_call"}, []string{"d", "a"}},
		"model":   {EventQuery{Model: "m"}, []string{"a"}},
		"tool":    {EventQuery{Tool: "search"}, []string{"b"}},
		"failed":  {EventQuery{Failed: true}, []string{"c"}},
		"time":    {EventQuery{From: second(2).Time, To: second(4).Time}, []string{"c", "b"}},
	} {
		c.q.Limit = 10
		found, err := s.SearchEvents(ctx, c.q)
		require.NoError(t, err, name)
		var got []string
		for _, e := range found.Events {
			got = append(got, e.ID)
			require.Contains(t, []string{"s", "t"}, e.SessionID)
		}
		require.Equal(t, c.want, got, name)
		require.Equal(t, len(c.want), found.Total)
		require.True(t, found.Complete)
	}
	_, err := s.SearchEvents(ctx, EventQuery{SessionID: "none", Limit: 1})
	require.ErrorIs(t, err, ErrNotFound)
}
