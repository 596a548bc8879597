package agentlens_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// tree returns, for every span that ended, its name and the names above it.
func (r recorded) tree() map[string]string {
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, span := range r.recorder.Ended() {
		byID[span.SpanContext().SpanID()] = span
	}
	paths := map[string]string{}
	for _, span := range r.recorder.Ended() {
		path := ""
		for at, ok := byID[span.Parent().SpanID()]; ok; at, ok = byID[at.Parent().SpanID()] {
			path = at.Name() + "/" + path
		}
		paths[span.Name()] = path
	}
	return paths
}

// Spans nest right whatever carries the context from goroutine to goroutine.
func TestSpanTreeOfErrgroup(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	stepCtx, step := s.StartStep(ctx, "fan out")
	group, groupCtx := errgroup.WithContext(stepCtx)
	for i := range 10 {
		group.Go(func() (err error) {
			ctx, tool := agentlens.StartTool(groupCtx, fmt.Sprint("t", i))
			defer tool.EndWith(&err)
			_, call := agentlens.StartLLM(ctx, "openai", fmt.Sprint("m", i))
			defer call.End()
			return nil
		})
	}
	require.NoError(t, group.Wait())
	step.End()
	require.NoError(t, s.End(ctx))
	tree := r.tree()
	for i := range 10 {
		assert.Equal(t, "invoke_agent agent/fan out/", tree[fmt.Sprint("execute_tool t", i)])
		assert.Equal(t, fmt.Sprintf("invoke_agent agent/fan out/execute_tool t%d/", i), tree[fmt.Sprint("chat m", i)])
	}
}

// Workers that live longer than a task work under the task's context.
func TestSpanTreeOfWorkerPool(t *testing.T) {
	r := newRecorded(t, nil)
	type task struct {
		ctx context.Context
		id  int
	}
	tasks := make(chan task)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for task := range tasks {
				_, tool := agentlens.StartTool(task.ctx, fmt.Sprint("t", task.id))
				tool.End()
			}
		})
	}
	for i := range 3 {
		ctx, s, err := r.StartSession(t.Context(), fmt.Sprint("a", i))
		require.NoError(t, err)
		defer func() { require.NoError(t, s.End(ctx)) }()
		for k := range 20 {
			tasks <- task{ctx, 100*i + k}
		}
	}
	close(tasks)
	workers.Wait()
	for _, span := range r.recorder.Ended() {
		var id int
		if _, err := fmt.Sscanf(span.Name(), "execute_tool t%d", &id); err == nil {
			assert.Equal(t, fmt.Sprint("a", id/100), attributeOf(span, "gen_ai.agent.name"))
		}
	}
}

// Detached work outlives its request and stays under it.
func TestSpanTreeOfDetachedWork(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	request, cancel := context.WithCancel(ctx)
	stepCtx, step := s.StartStep(request, "request")
	detached := agentlens.Detach(stepCtx)
	cancel()
	step.End()
	require.Error(t, stepCtx.Err())
	require.NoError(t, detached.Err())
	_, hasDeadline := detached.Deadline()
	require.False(t, hasDeadline)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, tool := agentlens.StartTool(detached, "index")
		tool.End()
	}()
	<-done
	require.NoError(t, s.End(ctx))
	assert.Equal(t, "invoke_agent agent/request/", r.tree()["execute_tool index"])
	assert.Equal(t, int64(1), s.Summary().Events)
}

// Who joins results is linked to all that made them.
func TestSpanTreeOfFanIn(t *testing.T) {
	r := newRecorded(t, nil)
	ctx, s, err := r.StartSession(t.Context(), "agent")
	require.NoError(t, err)
	links := make(chan trace.Link, 3)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			_, part := s.StartTool(ctx, fmt.Sprint("part", i))
			defer part.End()
			links <- part.Link()
		})
	}
	wg.Wait()
	close(links)
	var all []trace.Link
	for l := range links {
		all = append(all, l)
	}
	_, join := s.StartLLM(ctx, "openai", "m", agentlens.WithLinks(all[:2]...), agentlens.WithLinks(trace.Link{}))
	join.AddLink(all[2])
	join.AddLink((*agentlens.Span)(nil).Link())
	join.End()
	require.NoError(t, s.End(ctx))

	linked := map[trace.SpanID]bool{}
	span := r.named(t, "chat m")
	for _, l := range span.Links() {
		linked[l.SpanContext.SpanID()] = true
	}
	assert.Len(t, span.Links(), 3)
	for i := range 3 {
		assert.True(t, linked[r.named(t, fmt.Sprint("execute_tool part", i)).SpanContext().SpanID()])
	}
	assert.Equal(t, "invoke_agent agent/", r.tree()["chat m"])
}

// 1,000 goroutines over 100 sessions, each with spans of every kind that many
// goroutines set at once, add up exactly.
func TestManyLiveGoroutines(t *testing.T) {
	const sessions, goroutines = 100, 10
	r := newRecorded(t, nil)
	var wg sync.WaitGroup
	for range sessions {
		wg.Go(func() {
			ctx, s, err := r.StartSession(t.Context(), "agent")
			if !assert.NoError(t, err) {
				return
			}
			stepCtx, step := s.StartStep(ctx, "step")
			var workers sync.WaitGroup
			for range goroutines {
				workers.Go(func() {
					ctx, tool := agentlens.StartTool(stepCtx, "t")
					_, call := s.StartLLM(ctx, "openai", "m", agentlens.WithReasoning("why"))
					var setters sync.WaitGroup
					for range 2 {
						setters.Go(func() {
							call.SetTokens(2, 1)
							call.SetInputMessages(agentlens.TextMessage("user", "hello"))
							call.SetReasoning("because")
							step.SetInput("x")
							call.FirstToken()
							call.End()
							call.SetTokens(5, 5)
						})
					}
					setters.Wait()
					tool.SetOutput("done")
					tool.End()
				})
			}
			workers.Wait()
			step.End()
			assert.NoError(t, s.End(ctx))
			sum := s.Summary()
			assert.Equal(t, int64(2*goroutines), sum.Events)
			assert.Equal(t, int64(goroutines), sum.Reasoned)
			assert.Equal(t, int64(2*goroutines), sum.TokensIn)
		})
	}
	wg.Wait()
	assert.Len(t, r.recorder.Ended(), sessions*(3+3*goroutines))
}
