package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

func TestMain(m *testing.M) {
	if job := os.Getenv(killVariable); job != "" {
		number, path, _ := strings.Cut(job, " ")
		first, err := strconv.Atoi(number)
		if err != nil {
			panic(err)
		}
		storeUntilKilled(path, first)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "agentlens.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func ingest(t testing.TB, s *Store, batch ...wire.Event) int {
	t.Helper()
	n, err := s.Ingest(context.Background(), batch)
	require.NoError(t, err)
	return n
}

// second returns a time n seconds after a fixed one.
func second(n int) *wire.Time {
	return wire.At(time.Date(2026, 2, 14, 10, 30, n, 0, time.UTC))
}

func TestKeepsWhatItHoldsAcrossOpens(t *testing.T) {
	// Each character of the folder's name means something in a URI.
	path := filepath.Join(t.TempDir(), "a b?c#d%41&_pragma=x", "agentlens.db")
	for i := range 3 {
		s, err := Open(context.Background(), path)
		require.NoError(t, err)
		require.Equal(t, 1, ingest(t, s, wire.Event{EventType: "generic", SessionID: "s", EventID: fmt.Sprint("e", i), Timestamp: second(i)}))
		got, err := s.Events(context.Background(), "s", 10, 0)
		require.NoError(t, err)
		require.Len(t, got, i+1)
		require.NoError(t, s.Close())
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "prompts are for this user only")
	left, err := filepath.Glob(path + "-*")
	require.NoError(t, err)
	require.Empty(t, left, "closing folds the log into the file")
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	db, err := sql.Open("sqlite", newer)
	require.NoError(t, err)
	_, err = db.Exec(`PRAGMA user_version = 9999`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(context.Background(), newer)
	require.ErrorContains(t, err, "schema version 9999")

	text := filepath.Join(dir, "text.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
	_, err = Open(context.Background(), text)
	require.ErrorContains(t, err, text)

	_, err = Open(context.Background(), filepath.Join(text, "below", "a.db"))
	require.ErrorContains(t, err, "folder")
}

func TestMigrations(t *testing.T) {
	file := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(sql)} }
	first := fstest.MapFS{"migrations/0001_a.sql": file(`CREATE TABLE a (x); CREATE TABLE b (x);`)}
	second := fstest.MapFS{"migrations/0001_a.sql": first["migrations/0001_a.sql"], "migrations/0002_b.sql": file(`CREATE TABLE c (x); CREATE TABLE a (x);`)}

	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "m.db"))
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(files fstest.MapFS) error {
		all, err := migrations(files)
		require.NoError(t, err)
		return apply(context.Background(), db, all)
	}
	tables := func() (names string) {
		require.NoError(t, db.QueryRow(`SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)`).Scan(&names))
		return names
	}
	require.NoError(t, run(first))
	require.NoError(t, run(first), "the second time there is nothing to do")
	require.Equal(t, "a b", tables())
	require.ErrorContains(t, run(second), "0002_b.sql")
	require.Equal(t, "a b", tables(), "a migration that fails leaves nothing behind")

	_, err = migrations(fstest.MapFS{"migrations/0001_a.sql": file(""), "migrations/0003_c.sql": file("")})
	require.ErrorContains(t, err, "want number 0002")
}

func TestFullDiskStoresNothingOfTheBatch(t *testing.T) {
	s := open(t)
	ingest(t, s, wire.Event{EventType: "generic", SessionID: "s", EventID: "before", Timestamp: second(0)})
	var pages int
	require.NoError(t, s.write.QueryRow(`PRAGMA page_count`).Scan(&pages))
	_, err := s.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+2))
	require.NoError(t, err)

	big := []byte(`"` + strings.Repeat("x", 100_000) + `"`)
	_, err = s.Ingest(context.Background(), []wire.Event{
		{EventType: "generic", SessionID: "s", EventID: "small", Timestamp: second(1)},
		{EventType: "generic", SessionID: "s", EventID: "big", Timestamp: second(2), InputData: big},
	})
	require.ErrorIs(t, err, ErrFull)

	got, err := s.Detail(context.Background(), "s", 10, 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, got.EventCount)
	require.Len(t, got.Events, 1)

	_, err = s.write.Exec(`PRAGMA max_page_count = 1000000`)
	require.NoError(t, err)
	require.Equal(t, 1, ingest(t, s, wire.Event{EventType: "generic", SessionID: "s", EventID: "after", Timestamp: second(3)}), "room again")
}

func TestEventsAreOrderedByTimeThenArrival(t *testing.T) {
	s := open(t)
	add := func(id string, at *wire.Time) {
		ingest(t, s, wire.Event{EventType: "generic", SessionID: "s", EventID: id, Timestamp: at})
	}
	add("z", second(2))
	add("c", second(1))
	add("a", second(1))
	add("b", second(1))
	add("y", second(0))
	var ids []string
	for offset := 0; offset < 6; offset += 2 { // over pages too
		got, err := s.Events(context.Background(), "s", 2, offset)
		require.NoError(t, err)
		for _, e := range got {
			ids = append(ids, e.ID)
		}
	}
	require.Equal(t, []string{"y", "c", "a", "b", "z"}, ids)
}

func TestHostileText(t *testing.T) {
	s := open(t)
	nasty := "nul\x00quote'\";--\u2028<script>\U0001f600"
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000) // deeper than SQLite's own JSON reader goes
	ingest(t, s,
		wire.Event{EventType: wire.TypeSessionStart, SessionID: "s", AgentName: nasty, Metadata: map[string]any{nasty: nasty}, Timestamp: second(0)},
		wire.Event{EventType: "generic", SessionID: "s", EventID: "e", Timestamp: second(1), Model: nasty, InputData: []byte(deep)})
	d, err := s.Detail(context.Background(), "s", 10, 0)
	require.NoError(t, err)
	require.Equal(t, nasty, d.AgentName)
	require.Equal(t, analysis.Some(nasty), d.Events[0].Model)
	require.Equal(t, deep, string(d.Events[0].InputData))
	require.Len(t, d.Metadata, 1)
	require.Contains(t, d.Metadata, nasty)
}

func TestSessionsPages(t *testing.T) {
	s := open(t)
	for i := range 5 {
		id := fmt.Sprint("s", i)
		ingest(t, s, wire.Event{EventType: wire.TypeSessionStart, SessionID: id, Timestamp: second(i)})
		if i%2 == 0 {
			ingest(t, s, wire.Event{EventType: wire.TypeSessionEnd, SessionID: id, EndedAt: second(i + 1)})
		}
	}
	list := func(q SessionQuery) (ids []string, total int) {
		page, total, err := s.Sessions(context.Background(), q)
		require.NoError(t, err)
		for _, sess := range page {
			ids = append(ids, sess.ID)
		}
		return ids, total
	}
	ids, total := list(SessionQuery{Limit: 2, Offset: 1})
	require.Equal(t, []string{"s3", "s2"}, ids)
	require.Equal(t, 5, total)
	ids, total = list(SessionQuery{Limit: 10, Status: analysis.StatusActive})
	require.Equal(t, []string{"s3", "s1"}, ids)
	require.Equal(t, 2, total)
	ids, total = list(SessionQuery{Limit: 10, Offset: 7})
	require.Empty(t, ids)
	require.Equal(t, 5, total)
}
