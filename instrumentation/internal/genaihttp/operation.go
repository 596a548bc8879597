package genaihttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// operation is one call on its way. The caller's reads, its Close and the end
// of its context may come from different goroutines.
type operation struct {
	in     *Instrument
	call   *Call
	reader Reader
	policy capture.Policy
	ctx    context.Context
	span   trace.Span
	shared bool // the span is not ours: see outerSpan
	start  time.Time
	server []attribute.KeyValue

	mu         sync.Mutex
	ended      bool
	stop       func() bool // forgets the context
	status     int
	streamed   bool
	json       *scanner // nil when the answer cannot be read
	events     *events
	firstChunk time.Duration // 0 before it
	malformed  bool
}

// body tells the operation what the caller reads.
type body struct {
	rc io.ReadCloser
	op *operation
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.rc.Read(p)
	if n > 0 {
		b.op.read(p[:n])
	}
	if err != nil {
		b.op.end(err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.rc.Close()
	b.op.end(nil)
	return err
}

func (op *operation) read(p []byte) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.ended {
		return
	}
	op.guard(func() {
		switch {
		case op.events != nil:
			op.events.write(p)
		case op.json != nil:
			op.json.write(p)
		}
	})
}

// guard runs code that reads what others wrote. When it panics, the answer is
// no longer read.
func (op *operation) guard(f func()) {
	defer func() {
		if recover() != nil {
			op.events, op.json = nil, nil
		}
	}()
	f()
}

// event takes an event of a stream.
func (op *operation) event(name string, done bool) {
	if op.firstChunk == 0 {
		op.firstChunk = max(time.Since(op.start), 1)
	}
	switch {
	case done:
		op.call.Complete = true
	case !op.json.whole():
		op.malformed = true
	default:
		op.reader.Event(op.call, name, &op.json.Members)
	}
}

// failed ends the operation with the error of a request without an answer.
func (op *operation) failed(err error) {
	if op.ctx != nil && op.ctx.Err() != nil {
		err = op.ctx.Err()
	}
	op.fail(ErrorType(err), err.Error())
}

func (op *operation) fail(errorType, message string) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.ended {
		return
	}
	op.call.ErrorType, op.call.ErrorMessage = errorType, cut(message, maxErrorMessage)
	op.finishLocked()
}

// end ends the operation: with io.EOF the answer is whole, with nil the caller
// has closed it, else reading it failed.
func (op *operation) end(err error) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.endLocked(err)
}

func (op *operation) endLocked(err error) {
	if op.ended {
		return
	}
	op.guard(func() { op.judge(err) })
	op.finishLocked()
}

// judge decides what the end of the body means.
func (op *operation) judge(err error) {
	call := op.call
	if op.status < 400 && op.json != nil && op.events == nil && op.json.whole() {
		call.Complete = true
		op.reader.Answer(call, &op.json.Members)
	}
	if f, ok := op.reader.(Finisher); ok {
		f.Finish(call)
	}
	switch {
	case op.status >= 400:
		op.failure()
	case call.ErrorType != "":
		// A stream told an error of its own.
	case call.Complete:
	case op.malformed || op.json != nil && op.json.state == scanBroken:
		call.ErrorType, call.ErrorMessage = "malformed_response", "the answer is not the JSON it should be"
	case err == nil:
		// The caller wanted no more.
		if op.ctx.Err() != nil {
			call.ErrorType, call.ErrorMessage = ErrorType(op.ctx.Err()), op.ctx.Err().Error()
		}
	case !errors.Is(err, io.EOF):
		if op.ctx.Err() != nil {
			err = op.ctx.Err()
		}
		call.ErrorType, call.ErrorMessage = ErrorType(err), cut(err.Error(), maxErrorMessage)
	case op.json != nil:
		call.ErrorType, call.ErrorMessage = "unexpected_eof", "the answer ended before it was whole"
	}
}

func (op *operation) failure() {
	op.call.ErrorType = strconv.Itoa(op.status)
	if op.json == nil {
		return
	}
	if raw := op.json.Raw("error"); raw != nil {
		op.call.Fail(raw, op.status)
	} else {
		op.call.ErrorMessage = cut(op.json.String("message"), maxErrorMessage)
	}
}

// finishLocked writes what is known and ends the span, unless that is not ours.
func (op *operation) finishLocked() {
	op.ended = true
	if op.stop != nil {
		op.stop()
	}
	if op.shared {
		// An attempt that failed is for its owner to judge: it may be tried again.
		if op.call.ErrorType == "" {
			op.tell()
		}
		op.in.metrics.record(op)
		return
	}
	op.tell()
	if op.status >= 400 {
		op.span.SetAttributes(attribute.Int(semconv.HTTPStatusCode, op.status))
	}
	if op.call.ErrorType != "" {
		op.span.SetAttributes(attribute.String(semconv.ErrorType, op.call.ErrorType))
		message, dropped := ErrorText(&op.policy, op.call.ErrorMessage)
		if dropped {
			op.span.SetAttributes(Dropped(append(op.call.dropped, semconv.ExceptionMessage))...)
		}
		op.span.SetStatus(codes.Error, message)
	}
	op.span.End()
	op.in.metrics.record(op)
}

func (op *operation) tell() {
	if !op.span.IsRecording() {
		return
	}
	op.guard(func() {
		op.span.SetAttributes(op.call.responseAttributes()...)
		if op.streamed && op.firstChunk > 0 && !op.call.Apart {
			op.span.SetAttributes(attribute.Float64(semconv.GenAITimeToFirstChunk, op.firstChunk.Seconds()))
		}
		op.span.SetAttributes(contentAttributes(&op.policy, op.call, true)...)
	})
}

// ErrorType names an error with few words: canceled, timeout, else the type of
// the innermost error that is not a wrapper of net/http.
func ErrorType(err error) string {
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "unexpected_eof"
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	if t := reflect.TypeOf(err).String(); t != "*errors.errorString" {
		return t
	}
	return semconv.ErrorTypeOther
}
