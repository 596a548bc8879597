// Multi-agent is an editor who sends three researchers out at once, joins what
// they found, and leaves the archiving to work that outlives the request: live
// spans in goroutines, sub-agents, wrapped tools, links at the fan-in, and
// Detach. The models are functions; nothing leaves the process.
//
//	go run ./examples/multi-agent
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/agentlens/agentlens-otel/examples/internal/spantree"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/semconv"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "multi-agent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	if _, err := agentlens.Init(ctx, agentlens.WithTracerProvider(provider)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agentlens.Shutdown(ctx)) }()

	ctx, session, err := agentlens.StartSession(ctx, "editor")
	if err != nil {
		return err
	}
	var background sync.WaitGroup
	article, err := edit(ctx, "tides", &background)
	if err != nil {
		return errors.Join(err, session.End(ctx, agentlens.WithError(err)))
	}
	background.Wait()
	explanation, err := session.Explain(ctx)
	if err != nil {
		return err
	}
	if err := session.End(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n\n%s\n\nThe trace:\n", article, explanation)
	spantree.Print(out, spans.GetSpans(), semconv.GenAIAgentName)
	return nil
}

// edit asks the researchers at once and writes up what they found.
func edit(ctx context.Context, topic string, background *sync.WaitGroup) (string, error) {
	// The request has a deadline; what is detached from it has none.
	request, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	found := make([]finding, 3)
	ask, step := agentlens.StartStep(request, "ask the researchers")
	group, groupCtx := errgroup.WithContext(ask)
	for i, angle := range []string{"moon", "sun", "coast"} {
		group.Go(func() error {
			var err error
			found[i], err = research(groupCtx, topic+" and "+angle)
			return err
		})
	}
	err := group.Wait()
	step.SetError(err)
	step.End()
	if err != nil {
		return "", err
	}

	article, err := write(request, found)
	if err != nil {
		return "", err
	}
	archived := agentlens.Detach(request)
	background.Go(func() { _, _ = archive(archived, article) })
	return article, nil
}

// finding is what a researcher brings, with the span that it came from.
type finding struct {
	text string
	from trace.Link
}

// researcher is a sub-agent wherever it is called in a session.
var researcher = agentlens.WrapAgent("researcher", func(ctx context.Context, question string) (finding, error) {
	facts, err := search(ctx, question)
	if err != nil {
		return finding{}, err
	}
	text, from, err := complete(ctx, "small-model", "Sum up: "+facts)
	return finding{text, from}, err
})

func research(ctx context.Context, question string) (finding, error) {
	return researcher(ctx, question)
}

var search = agentlens.WrapTool("search", func(_ context.Context, question string) (string, error) {
	return "facts on " + question, nil
})

var archive = agentlens.WrapTool("archive", func(_ context.Context, article string) (int, error) {
	return len(article), nil
})

// write joins the findings: its span is linked to all that it is made from.
func write(ctx context.Context, found []finding) (string, error) {
	_, decision := agentlens.StartDecision(ctx, agentlens.WithReasoning("Three angles are enough for a short piece."))
	decision.SetAlternatives("ask for a fourth angle")
	decision.SetConfidence(0.9)
	decision.End()

	prompt := "Write an article from:"
	links := make([]trace.Link, len(found))
	for i, f := range found {
		prompt += " " + f.text + "."
		links[i] = f.from
	}
	article, _, err := complete(ctx, "large-model", prompt, agentlens.WithLinks(links...))
	return article, err
}

// complete asks a model, and records the request while it runs.
func complete(ctx context.Context, model, prompt string, opts ...agentlens.EventOption) (answer string, from trace.Link, err error) {
	ctx, call := agentlens.StartLLM(ctx, "example", model, opts...)
	defer call.EndWith(&err)
	call.SetInputMessages(agentlens.TextMessage("user", prompt))
	answer, err = pretend(ctx, prompt)
	if err != nil {
		return "", trace.Link{}, err
	}
	call.SetOutputMessages(agentlens.TextMessage("assistant", answer))
	call.SetTokens(int64(len(prompt)/4), int64(len(answer)/4))
	call.SetFinishReasons("stop")
	return answer, call.Link(), nil
}

// pretend stands for a model.
func pretend(ctx context.Context, prompt string) (string, error) {
	return "[" + prompt + "]", ctx.Err()
}
