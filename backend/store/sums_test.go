package store

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// sumRows returns every row of the sums, as text.
func sumRows(t require.TestingT, s *Store) map[string][]string {
	all := map[string][]string{}
	for table, columns := range map[string]string{
		"summaries":     "session || ' ' || summary",
		"session_names": "kind || ' ' || name || ' ' || session",
		// The parts of a cost are normal only once they are carried over.
		"session_days": "day || ' ' || agent || ' ' || status || ' ' || sessions || ' ' || events || ' ' || errors || ' ' || tokens_in || ' ' || tokens_out || ' ' || ended || ' ' || duration_us",
		"usage_days":   "day || ' ' || agent || ' ' || model || ' ' || events || ' ' || errors || ' ' || tokens_in || ' ' || tokens_out || ' ' || priced || ' ' || timed || ' ' || duration_us",
		"usage_hours":  "hour || ' ' || agent || ' ' || events || ' ' || tokens",
		"name_days":    "day || ' ' || agent || ' ' || kind || ' ' || name || ' ' || n",
		"latency_days": "day || ' ' || agent || ' ' || type || ' ' || bucket || ' ' || n",
	} {
		empty := map[string]string{"session_days": " WHERE sessions <> 0", "usage_days": " WHERE events <> 0", "usage_hours": " WHERE events <> 0", "name_days": " WHERE n <> 0", "latency_days": " WHERE n <> 0"}
		rows, err := s.read.Query(`SELECT ` + columns + ` AS row FROM ` + table + empty[table] + ` ORDER BY row`)
		require.NoError(t, err)
		for rows.Next() {
			var text string
			require.NoError(t, rows.Scan(&text))
			all[table] = append(all[table], text)
		}
		require.NoError(t, rows.Close())
	}
	usage, err := s.Usage(context.Background(), Range{})
	require.NoError(t, err)
	for _, u := range usage {
		all["costs"] = append(all["costs"], fmt.Sprint(u.Day, u.Model, u.CostUSD))
	}
	return all
}

// requireStates requires that the state of every session is that of its events.
func requireStates(t require.TestingT, s *Store) {
	ctx := context.Background()
	require.NoError(t, s.writeTx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, sessionState)
		all, err := collect(rows, err, func(rows *sql.Rows) (*session, error) { return scanState(rows) })
		for _, sess := range all {
			want := sess.withoutEvents()
			require.NoError(t, eachFigures(ctx, tx, sess.row, want.event))
			require.Equal(t, want, sess.state, sess.id)
		}
		return err
	}))
}

// anyBatch draws entries of a few sessions: late starts that rename them,
// repeated events, ends, events of several days.
func anyBatch(t *rapid.T) []wire.Event {
	var batch []wire.Event
	for range rapid.IntRange(1, 12).Draw(t, "entries") {
		id := fmt.Sprint("s", rapid.IntRange(0, 3).Draw(t, "session"))
		at := wire.At(time.Date(2026, 2, 14, 23, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "second")) * time.Second))
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			batch = append(batch, wire.Event{EventType: wire.TypeSessionStart, SessionID: id, Timestamp: at, AgentName: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "agent")})
		case 1:
			e := wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: at, Status: rapid.SampledFrom([]analysis.Status{"completed", "error", "timeout"}).Draw(t, "status")}
			if rapid.Bool().Draw(t, "totals") {
				e.TotalTokensIn = analysis.Some(int64(rapid.IntRange(0, 9).Draw(t, "total")))
			}
			batch = append(batch, e)
		default:
			e := wire.Event{
				EventType: rapid.SampledFrom([]string{"llm_call", "tool_call", "error"}).Draw(t, "type"), SessionID: id,
				EventID: fmt.Sprint("e", rapid.IntRange(0, 20).Draw(t, "event")), Timestamp: at,
			}
			if rapid.Bool().Draw(t, "call") {
				e.Model = rapid.SampledFrom([]string{"m1", "m2"}).Draw(t, "model")
				e.TokensIn = analysis.Some(int64(rapid.IntRange(0, 9).Draw(t, "in")))
				e.CostUSD = analysis.Some(rapid.Float64Range(0, 3).Draw(t, "cost"))
				e.DurationMS = analysis.Some(rapid.Float64Range(0, 5000).Draw(t, "ms"))
			} else if rapid.Bool().Draw(t, "tool") {
				e.ToolCall = &wire.ToolCall{Name: "search"}
			}
			switch other := fmt.Sprint("e", rapid.IntRange(0, 20).Draw(t, "other")); rapid.IntRange(0, 5).Draw(t, "copy") {
			case 0:
				e.Replaces = []string{other}
			case 1:
				e.PartOf = []string{other}
			case 2:
				e.Replaces, e.TraceID = []string{other}, "s3"
			}
			batch = append(batch, e)
		}
	}
	return batch
}

// empty deletes everything, as the retention does.
func empty(t require.TestingT, s *Store) {
	var gone Removed
	_, err := s.deleteSessions(context.Background(), &gone, ` LIMIT 1000`)
	require.NoError(t, err)
	for _, table := range []string{"copies", "same_calls"} {
		var n int
		require.NoError(t, s.read.QueryRow(`SELECT count(*) FROM `+table).Scan(&n))
		require.Zero(t, n, table)
	}
	for table, rows := range sumRows(t, s) {
		require.Empty(t, rows, table)
	}
}

// TestSumsAreThoseOfTheRows: whatever is stored, renamed and deleted, the sums
// are what a rebuild from the rows makes of them.
func TestSumsAreThoseOfTheRows(t *testing.T) {
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		empty(rt, s)
		ctx := context.Background()
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			_, err := s.Ingest(ctx, anyBatch(rt))
			require.NoError(rt, err)
			if rapid.IntRange(0, 3).Draw(rt, "delete") == 0 {
				var gone Removed
				_, err := s.deleteSessions(ctx, &gone, ` ORDER BY s.started_at LIMIT 1`)
				require.NoError(rt, err)
			}
			if rapid.IntRange(0, 3).Draw(rt, "forget") == 0 {
				clear(s.recent) // as a restart does
			}
		}
		requireStates(rt, s)
		kept := sumRows(rt, s)
		require.NoError(rt, s.rebuild(ctx))
		require.Equal(rt, sumRows(rt, s), kept)
	})
}

// TestTotalsAgree: list, detail and sums tell the same totals.
func TestTotalsAgree(t *testing.T) {
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		empty(rt, s)
		ctx := context.Background()
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			_, err := s.Ingest(ctx, anyBatch(rt))
			require.NoError(rt, err)
		}
		list, n, err := s.Sessions(ctx, SessionQuery{Limit: 100})
		require.NoError(rt, err)
		sums, err := s.SessionSums(ctx, Range{})
		require.NoError(rt, err)
		filtered, err := s.SessionTotals(ctx, SessionQuery{To: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)})
		require.NoError(rt, err)
		usage, err := s.UsageByModel(ctx, Range{})
		require.NoError(rt, err)

		var events, errs, in int64
		var cost analysis.Sum
		for _, sess := range list {
			detail, err := s.Detail(ctx, sess.ID, 100, 0)
			require.NoError(rt, err)
			require.Equal(rt, sess, detail.Session)
			require.Len(rt, detail.Events, int(sess.EventCount))
			for _, e := range detail.Events {
				cost.Add(e.CostUSD.Or(0))
			}
			events, errs, in = events+sess.EventCount, errs+sess.ErrorCount, in+sess.TokensIn.Or(0)
			sum, err := s.Summary(ctx, sess.ID)
			require.NoError(rt, err)
			require.Equal(rt, sess.EventCount, sum.Events)
			require.Equal(rt, sess.CostUSD.Or(0), sum.CostUSD.Float64())
		}
		want := Totals{Sessions: n, Events: events, Errors: errs, TokensIn: in, CostUSD: cost.Float64()}
		require.Len(rt, list, n)
		require.Equal(rt, want, sums.Totals)
		require.Equal(rt, want, filtered)
		require.Equal(rt, want.CostUSD, TotalCost(usage), "exact sums, so exactly")
	})
}
