package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Protocol is the way to the receiver.
type Protocol string

// The protocols.
const (
	GRPC Protocol = "grpc"
	HTTP Protocol = "http"
)

// Options say what is sent.
type Options struct {
	Protocol Protocol
	// Endpoint is the receiver's host:port.
	Endpoint string
	// Content is how large the content of calls is.
	Content Content
	// Shapes are the shapes of sessions, in turns. Default DefaultShapes.
	Shapes []Shape
	// Sessions is how many sessions share a request. Default 10, which makes
	// about 100 spans a request.
	Sessions int
	// Workers is how many requests are under way at once. Default 4.
	Workers int
	// Open is how many requests' sessions a worker keeps open before it sends
	// their second halves. Default 16.
	Open int
	// Rate is how many spans a second are sent, 0 as many as are taken.
	Rate int
	// Requests ends the load after so many first halves in all, all sessions
	// of which are then ended. 0 goes on until Stop.
	Requests int
}

// DefaultShapes are half AgentLens's own sessions, the rest from other libraries.
var DefaultShapes = []Shape{ShapeSDK, ShapeGenAI, ShapeSDK, ShapeOpenInference}

// variants is how many different requests a worker has.
const variants = 4

// Run is a load under way.
type Run struct {
	options Options
	sender  sender
	cancel  context.CancelFunc
	done    sync.WaitGroup

	accepted, rejected, requests atomic.Int64
	mu                           sync.Mutex
	failed                       error
}

// Start builds the requests and begins to send.
func Start(o Options) (*Run, error) {
	if o.Shapes == nil {
		o.Shapes = DefaultShapes
	}
	if o.Sessions == 0 {
		o.Sessions = 10
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	if o.Open == 0 {
		o.Open = 16
	}
	s, err := newSender(o.Protocol, o.Endpoint)
	if err != nil {
		return nil, err
	}
	workers := make([]*worker, o.Workers)
	for i := range workers {
		if workers[i], err = newWorker(&o, i); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{options: o, sender: s, cancel: cancel}
	for _, w := range workers {
		r.done.Go(func() {
			if err := w.run(ctx, r); err != nil && ctx.Err() == nil {
				r.mu.Lock()
				r.failed = errors.Join(r.failed, err)
				r.mu.Unlock()
				cancel()
			}
		})
	}
	return r, nil
}

// Accepted returns how many spans the collector has accepted so far.
func (r *Run) Accepted() int64 { return r.accepted.Load() }

// Requests returns how many requests were answered so far.
func (r *Run) Requests() int64 { return r.requests.Load() }

// Wait waits until a load with a number of Requests is sent.
func (r *Run) Wait() error {
	r.done.Wait()
	return r.close()
}

// Stop ends the load. It returns the error of a request that failed, or an
// error when spans were rejected.
func (r *Run) Stop() error {
	r.cancel()
	r.done.Wait()
	return r.close()
}

func (r *Run) close() error {
	r.cancel()
	err := r.sender.close()
	if n := r.rejected.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans were rejected", n))
	}
	return errors.Join(r.failed, err)
}

// worker sends its own requests, one after the other.
type worker struct {
	options *Options
	index   int
	halves  [variants][2]*payload
}

func newWorker(o *Options, index int) (*worker, error) {
	w := &worker{options: o, index: index}
	text := newWriter(uint64(index)+1, o.Content)
	for v := range w.halves {
		for which := range w.halves[v] {
			p, err := newPayload(text, o.Sessions, o.Shapes, half(which))
			if err != nil {
				return nil, err
			}
			w.halves[v][which] = p
		}
	}
	return w, nil
}

// run sends the first half of its n-th sessions and then the second half of
// those it began Open requests before.
func (w *worker) run(ctx context.Context, r *Run) error {
	o := w.options
	mine := o.Requests / o.Workers
	if w.index < o.Requests%o.Workers {
		mine++
	}
	next := time.Now()
	for n := 0; o.Requests == 0 || n < mine+o.Open; n++ {
		if o.Requests == 0 || n < mine {
			if err := w.send(ctx, r, n, firstHalf, &next); err != nil {
				return err
			}
		}
		if n >= o.Open && (o.Requests == 0 || n-o.Open < mine) {
			if err := w.send(ctx, r, n-o.Open, secondHalf, &next); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *worker) send(ctx context.Context, r *Run, n int, which half, next *time.Time) error {
	p := w.halves[n%variants][which]
	if rate := w.options.Rate; rate > 0 {
		select {
		case <-time.After(time.Until(*next)):
		case <-ctx.Done():
			return ctx.Err()
		}
		*next = next.Add(time.Duration(p.spans*w.options.Workers) * time.Second / time.Duration(rate))
	}
	p.write(uint64(n*w.options.Workers+w.index), w.options.Sessions, 0, time.Now())
	rejected, err := r.sender.send(ctx, p.bytes)
	if err != nil {
		return err
	}
	r.accepted.Add(int64(p.spans) - rejected)
	r.rejected.Add(rejected)
	r.requests.Add(1)
	return nil
}
