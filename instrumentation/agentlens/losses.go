package agentlens

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// lossLogInterval is how often lost spans are logged at most.
const lossLogInterval = time.Minute

// LostSpansError says that spans did not reach the endpoint.
type LostSpansError struct {
	// Spans is how many: those dropped at a full queue, and all of each export
	// that failed, also where the endpoint took a part of it.
	Spans int64
	// Err is why the last export failed; nil when spans were only dropped.
	Err error
}

func (e *LostSpansError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("agentlens: %d spans lost: the export queue was full", e.Spans)
	}
	return fmt.Sprintf("agentlens: %d spans lost: %v", e.Spans, e.Err)
}

// Unwrap returns why the last export failed.
func (e *LostSpansError) Unwrap() error { return e.Err }

// losses counts the spans that wait for export and those that were lost.
type losses struct {
	logger *slog.Logger

	mu      sync.Mutex
	pending int64
	closed  bool // nothing is sent any more
	lost    int64
	failed  int64 // exports
	err     error // of the last failed export
	told    mark  // what a caller has been told
	logged  int64 // how many of lost have been logged
	logTime time.Time
}

// mark is a moment in the counting of losses.
type mark struct{ lost, failed int64 }

func (l *losses) mark() mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return mark{l.lost, l.failed}
}

// tell returns a *LostSpansError when spans were lost since the mark, else nil.
func (l *losses) tell(since mark) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = mark{l.lost, l.failed}
	if l.lost == since.lost {
		return nil
	}
	e := &LostSpansError{Spans: l.lost - since.lost}
	if l.failed > since.failed {
		e.Err = l.err
	}
	return e
}

// tellNews is tell since the last telling.
func (l *losses) tellNews() error {
	l.mu.Lock()
	since := l.told
	l.mu.Unlock()
	return l.tell(since)
}

// enter counts a span into the queue, or as lost when limit are waiting.
func (l *losses) enter(limit int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending >= limit {
		l.lost++
		l.log()
		return false
	}
	l.pending++
	return true
}

// leave counts n spans out of the queue, as lost when err is not nil.
func (l *losses) leave(n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.pending -= int64(n)
	if err != nil {
		l.lost += int64(n)
		l.failed++
		l.err = err
		l.log()
	}
}

// abandon counts as lost all that waits, when nothing will send it any more.
func (l *losses) abandon(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.pending > 0 {
		l.lost += l.pending
		l.pending = 0
		l.failed++
		l.err = err
		l.log()
	}
}

func (l *losses) log() {
	now := time.Now()
	if !l.logTime.IsZero() && now.Sub(l.logTime) < lossLogInterval {
		return
	}
	l.logger.Warn("agentlens: spans lost", "spans", l.lost-l.logged, "total", l.lost, "error", l.err)
	l.logged, l.logTime = l.lost, now
}
