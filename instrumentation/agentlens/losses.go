package agentlens

import (
	"errors"
	"fmt"
	"sync"
)

// LostSpansError says that spans did not reach the endpoint.
type LostSpansError struct {
	// Spans is how many: those dropped at a full queue, all of each export that
	// failed, also where the endpoint took a part of it, and those that had not
	// ended before Shutdown.
	Spans int64
	// Err is why the last export failed, or that there is none after Shutdown;
	// nil when spans were only dropped.
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

// Stats counts what a tracker could not record as it was told to. Everything in
// it is logged too, at most once a minute each.
type Stats struct {
	// SpansLost did not reach the endpoint: dropped at a full queue, part of an
	// export that failed, or not ended before Shutdown. With a provider of the
	// caller's own the tracker cannot know, and it is 0.
	SpansLost int64
	// CallsRefused are live spans that could not be started, for their session
	// had ended or none was found, and figures that cannot be, such as negative
	// token counts, which were left out.
	CallsRefused int64
	// ContentDropped is content that a redactor failed on.
	ContentDropped int64
	// ContentTruncated is content that was longer than WithMaxContentBytes.
	ContentTruncated int64
}

// Stats returns what has gone wrong so far.
func (t *Tracker) Stats() Stats {
	if t == nil {
		return Stats{}
	}
	return Stats{
		SpansLost: t.losses.mark().lost, CallsRefused: t.refused.count(),
		ContentDropped: t.contents.dropped.count(), ContentTruncated: t.contents.truncated.count(),
	}
}

// losses counts the spans that are open, those that wait for export and those
// that were lost.
type losses struct {
	news tally

	mu      sync.Mutex
	open    int64 // started and not ended
	pending int64 // ended and not exported
	closed  bool  // nothing is sent any more
	lost    int64
	failed  int64 // exports
	err     error // of the last failed export
	told    mark  // what a caller has been told
}

// errLate is why a span that ends after Shutdown is lost.
var errLate = errors.New("not ended before Shutdown")

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

// start counts a span that will be exported when it ends.
func (l *losses) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.lose(1, errLate)
		return
	}
	l.open++
}

// enter counts a span that has ended into the queue, or as lost when limit are
// waiting. One that was open when the queue closed has been counted then.
func (l *losses) enter(limit int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.open--
	if l.pending >= limit {
		l.lost++
		l.news.add(1, nil)
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
		l.lose(int64(n), err)
	}
}

// abandon counts as lost all that waits or is open, when nothing will send it
// any more, because of err if that is not nil.
func (l *losses) abandon(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = errLate // It came to the queue after the last export.
	}
	l.closed = true
	if l.open > 0 {
		l.lose(l.open, errLate)
	}
	if l.pending > 0 {
		l.lose(l.pending, err)
	}
	l.open, l.pending = 0, 0
	l.news.flush()
}

// lose counts what an export that failed has cost. l.mu is held.
func (l *losses) lose(n int64, err error) {
	l.lost += n
	l.failed++
	l.err = err
	l.news.add(n, err)
}
