package agentlens

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// A tally logs at once, then once a minute at most, and nothing goes unlogged.
func TestTallyLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
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
		time.Sleep(2)
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
