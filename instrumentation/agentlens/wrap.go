package agentlens

import (
	"context"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// WrapTool returns fn as a tool that is recorded: its input, output and time,
// the error it returns, and its panic, which goes on. The session is that of
// the context, else the one started last; without any, fn just runs.
func WrapTool[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...EventOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		ctx, tool := StartTool(ctx, name, opts...)
		defer tool.EndWith(&err)
		tool.SetInput(in)
		if out, err = fn(ctx, in); err == nil {
			tool.SetOutput(out)
		}
		return out, err
	}
}

// WrapAgent returns fn as an agent that is recorded, with its input, output and
// time, the error it returns, and its panic, which goes on. In a context that
// holds a session it is a sub-agent of it. Else each call is a session of its
// own, which fn finds in its context: completed, or with the status error. Its
// end does not wait for delivery; Flush and Shutdown do. Before Init fn just
// runs.
func WrapAgent[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...EventOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		ctx, run := startRun(ctx, name, opts)
		defer run.endWith(&err)
		run.input(in)
		if out, err = fn(ctx, in); err == nil {
			run.output(out)
		}
		return out, err
	}
}

// run is a run of an agent: a sub-agent's span or a session; neither before
// Init.
type run struct {
	sub     *Span
	session *Session
	began   time.Time
}

func startRun(ctx context.Context, name string, opts []EventOption) (context.Context, run) {
	if SessionFromContext(ctx) != nil {
		ctx, sub := StartAgent(ctx, name, opts...)
		return ctx, run{sub: sub}
	}
	t := global.Load()
	if t == nil {
		return orBackground(ctx), run{}
	}
	c := newEventConfig(opts)
	ctx, s, err := t.StartSession(ctx, name, WithSessionID(c.sessionID), WithTimestamp(c.event.Timestamp), WithCapture(c.capture))
	if err != nil {
		t.refused.add(1, err)
		return ctx, run{}
	}
	s.root.SetAttributes(c.extra.attrs...)
	for _, l := range c.extra.links {
		s.root.AddLink(l)
	}
	return ctx, run{session: s, began: time.Now()}
}

func (r run) input(v any) {
	r.sub.SetInput(v)
	r.session.setContent(semconv.EventInput, "input_data", v)
}

func (r run) output(v any) {
	r.sub.SetOutput(v)
	r.session.setContent(semconv.EventOutput, "output_data", v)
}

// endWith is deferred; see Span.EndWith.
func (r run) endWith(err *error) {
	if r.sub == nil && r.session == nil {
		return
	}
	failed := *err
	p := recover()
	if p != nil {
		failed = panicked{p}
	}
	r.sub.SetError(failed)
	r.sub.End()
	r.session.endRun(r.began, failed)
	if p != nil {
		panic(p)
	}
}

// endRun ends the session without waiting for its delivery. It may have been
// ended by the agent itself.
func (s *Session) endRun(began time.Time, failed error) {
	if s == nil {
		return
	}
	err := s.close(&endConfig{err: failed})
	if err != nil && failed != nil {
		err = s.close(&endConfig{status: StatusError}) // the methods of the error panic
	}
	if err != nil && err != ErrSessionEnded {
		s.tracker.refused.add(1, err)
	}
	var failure *analysis.Failure
	if failed != nil {
		failure, _ = toFailure(failed)
	}
	s.tracker.metrics.recordAgent(context.Background(), s.agentName, time.Since(began), failure)
}

// setContent puts what the run got or gave onto the session's root span.
func (s *Session) setContent(key, field string, v any) {
	if s == nil {
		return
	}
	var got captured
	raw, err := s.tracker.contents.data(s.capture, key, field, v, &got)
	if err != nil {
		s.tracker.refused.add(1, err)
		return
	}
	c := eventConfig{extra: &extras{captured: got}}
	s.root.SetAttributes(contentAttributes(appendText(nil, key, string(raw)), &c)...)
}
