package agentlens

import (
	"log/slog"
	"sync"
	"time"
)

// logInterval is how often a tally logs at most.
const logInterval = time.Minute

// tally counts what went wrong, and logs it at most once an interval, the rest
// of an interval at its end.
type tally struct {
	message  string
	logger   *slog.Logger
	interval time.Duration

	mu     sync.Mutex
	total  int64
	logged int64 // how many of total have been logged
	err    error // the last one
	last   time.Time
	timer  *time.Timer
}

func newTally(logger *slog.Logger, interval time.Duration, message string) tally {
	return tally{message: message, logger: logger, interval: interval}
}

// add counts n, because of err, which may be nil.
func (t *tally) add(n int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total += n
	if err != nil {
		t.err = err
	}
	if t.timer != nil {
		return
	}
	if wait := t.interval - time.Since(t.last); !t.last.IsZero() && wait > 0 {
		t.timer = time.AfterFunc(wait, t.flush)
		return
	}
	t.log()
}

// flush logs what has not been logged yet.
func (t *tally) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.log()
}

func (t *tally) count() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// log logs the news. t.mu is held.
func (t *tally) log() {
	if t.total == t.logged {
		return
	}
	t.logger.Warn("agentlens: "+t.message, "count", t.total-t.logged, "total", t.total, "error", t.err)
	t.logged, t.last = t.total, time.Now()
}
