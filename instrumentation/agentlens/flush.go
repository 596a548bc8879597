package agentlens

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxFlushTime bounds a flush whose context has no earlier deadline.
const maxFlushTime = 30 * time.Second

// flusher delivers what a provider has buffered. Any number of callers at once
// cost two flushes: the one that runs, and one that starts after it for all who
// came meanwhile. A flush runs on, though nobody may be waiting for it any more.
type flusher struct {
	// flush is the provider's ForceFlush, nil when it has none.
	flush func(context.Context) error
	// ctx ends when the tracker has shut down.
	ctx    context.Context
	cancel context.CancelFunc

	mu            sync.Mutex
	running, next *flight
}

// flight is one flush; err is set when done is closed.
type flight struct {
	done chan struct{}
	err  error
}

// wait delivers what is buffered now, and waits for it until ctx or
// maxFlushTime ends.
func (f *flusher) wait(ctx context.Context) error {
	if f.flush == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(orBackground(ctx), maxFlushTime)
	defer cancel()
	mine := f.board()
	select {
	case <-mine.done:
		return wrap("flush", mine.err)
	case <-ctx.Done():
		return wrap("flush", ctx.Err())
	}
}

// board returns the flight that takes what is buffered now: one that has not
// started.
func (f *flusher) board() *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.next
	if mine == nil {
		mine = &flight{done: make(chan struct{})}
		f.next = mine
	}
	if f.running == nil {
		f.start()
	}
	return mine
}

// start starts the next flight. f.mu is held.
func (f *flusher) start() {
	now := f.next
	f.running, f.next = now, nil
	go func() {
		now.err = f.flush(f.ctx)
		close(now.done)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running = nil
		if f.next != nil {
			f.start()
		}
	}()
}

// bounded runs f, and returns when ctx or maxFlushTime ends although f may pay
// no heed to its context.
func bounded(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(orBackground(ctx), maxFlushTime)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- f(ctx)
	}()
	select {
	case err := <-done:
		return wrap(what, err)
	case <-ctx.Done():
		select {
		case err := <-done: // f has returned, and ended ctx itself
			return wrap(what, err)
		default:
			return wrap(what, ctx.Err())
		}
	}
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("agentlens: %s: %w", what, err)
}
