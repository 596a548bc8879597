package agentlens

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// lockedBuffer is written by timers and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A tally logs at once, then once a minute at most, and nothing goes unlogged.
func TestTallyLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs lockedBuffer
		tally := newTally(slog.New(slog.NewTextHandler(&logs, nil)), logInterval, "spans lost")
		lines := func() int { synctest.Wait(); return strings.Count(logs.String(), "\n") }
		tally.flush()
		assert.Zero(t, lines(), "nothing to tell")
		tally.add(1, nil)
		assert.Equal(t, 1, lines())
		for range 99 {
			tally.add(1, errors.New("refused"))
		}
		time.Sleep(logInterval - 1)
		assert.Equal(t, 1, lines())
		time.Sleep(2 * time.Nanosecond)
		assert.Equal(t, 2, lines())
		assert.Contains(t, logs.String(), "count=99 total=100 error=refused")
		time.Sleep(time.Hour)
		assert.Equal(t, 2, lines())
		tally.add(2, nil)
		tally.add(3, nil)
		assert.Equal(t, 3, lines())
		tally.flush()
		assert.Equal(t, 4, lines(), "the rest, at the end")
		time.Sleep(time.Hour)
		assert.Equal(t, 4, lines())
		assert.Equal(t, int64(105), tally.count())
	})
}
