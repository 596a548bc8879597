package agentlens

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// However the starts, ends and exports of spans mix with a shutdown, every span
// is exported or lost, and never both; what has been told stays told. Each
// method of losses holds its lock throughout, so an order of calls is all that
// goroutines can make of them.
func TestEverySpanIsExportedOrLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 3
		l := &losses{news: newTally(slog.New(slog.DiscardHandler), time.Hour, "spans lost")}
		var started, open, queued, exported, last int64
		steps := map[string]func(*rapid.T){
			"start": func(*rapid.T) {
				l.start()
				started++
				open++
			},
			"end": func(t *rapid.T) {
				if open == 0 {
					t.Skip("none is open")
				}
				open--
				if l.enter(limit) {
					queued++
				}
			},
			"export": func(t *rapid.T) {
				if queued == 0 {
					t.Skip("none is queued")
				}
				n := rapid.Int64Range(1, queued).Draw(t, "spans")
				queued -= n
				err := rapid.SampledFrom([]error{nil, errors.New("refused")}).Draw(t, "error")
				if err == nil && !l.closed {
					exported += n
				}
				l.leave(int(n), err)
			},
			"shutdown": func(t *rapid.T) {
				if l.closed {
					t.Skip("there is one")
				}
				l.abandon(rapid.SampledFrom([]error{nil, errors.New("deadline")}).Draw(t, "error"))
			},
			"": func(t *rapid.T) {
				lost := l.mark().lost
				require.GreaterOrEqual(t, lost, last, "lost is lost")
				last = lost
				if l.closed {
					require.Equal(t, started, exported+lost)
				} else {
					require.Equal(t, started, exported+lost+open+queued)
				}
			},
		}
		t.Repeat(steps)
	})
}
