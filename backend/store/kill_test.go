package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// killVariable makes this test binary a program that stores batches until it
// is killed; it holds the database's path and the number of the first batch.
const killVariable = "AGENTLENS_STORE_KILL_TEST"

const killBatch = 40 // events a batch

// storeUntilKilled says on its output which batches have been acknowledged.
func storeUntilKilled(path string, first int) {
	s, err := Open(context.Background(), path)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for n := first; ; n++ {
		var batch []wire.Event
		for i := range killBatch {
			batch = append(batch, wire.Event{
				EventType: "llm_call", SessionID: fmt.Sprint("s", n), EventID: fmt.Sprint("e", i), Timestamp: second(i),
				CostUSD: analysis.Some(0.1), TokensIn: analysis.Some[int64](1),
			})
		}
		if _, err := s.Ingest(context.Background(), batch); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// TestSurvivesKill kills a process in the middle of storing, ten times over
// one database: it opens clean, and every acknowledged batch is there once.
func TestSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agentlens.db")
	acknowledged := 0
	for round := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", killVariable, acknowledged+1, path))
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			require.NoError(t, err, lines.Text())
			if n == 5+3*round {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.ErrorContains(t, cmd.Wait(), "killed")

		s, err := Open(context.Background(), path)
		require.NoError(t, err)
		var verdict string
		require.NoError(t, s.write.QueryRow(`PRAGMA integrity_check`).Scan(&verdict))
		require.Equal(t, "ok", verdict)
		list, total, err := s.Sessions(context.Background(), SessionQuery{Limit: 10_000})
		require.NoError(t, err)
		require.GreaterOrEqual(t, total, acknowledged)
		require.LessOrEqual(t, total, acknowledged+1, "at most the batch whose answer was on its way")
		for _, sess := range list {
			require.EqualValues(t, killBatch, sess.EventCount, "a batch is there whole")
		}
		sums, err := s.SessionSums(context.Background(), Range{})
		require.NoError(t, err)
		require.EqualValues(t, total*killBatch, sums.Events)
		kept := sumRows(t, s)
		require.NoError(t, s.rebuild(context.Background()))
		require.Equal(t, sumRows(t, s), kept)
		require.NoError(t, s.Close())
		acknowledged = total
	}
}
