package agentlensexporter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

const (
	// annotatorQueue is how many spans with findings can wait.
	annotatorQueue = 10_000
	// annotatorAuthor signs annotations.
	annotatorAuthor = "agentlens"
)

// annotator posts findings as tags and annotations, behind the events they
// concern and without delaying others.
type annotator struct {
	client    *client
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	queue  chan sessionFindings
	cancel context.CancelFunc
	done   sync.WaitGroup
	close  sync.Once
}

func newAnnotator(c *client, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) *annotator {
	return &annotator{client: c, logger: logger, telemetry: telemetry, queue: make(chan sessionFindings, annotatorQueue)}
}

func (a *annotator) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.done.Go(func() {
		for f := range a.queue {
			a.deliver(ctx, f)
		}
	})
}

// shutdown sends what is waiting for as long as ctx lasts. No enqueue may come
// after it.
func (a *annotator) shutdown(ctx context.Context) {
	a.close.Do(func() { close(a.queue) })
	finished := make(chan struct{})
	go func() { a.done.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	a.cancel()
	<-finished
}

// enqueue never waits: when too many findings wait already, it counts them as
// dropped and says so.
func (a *annotator) enqueue(ctx context.Context, found []sessionFindings) {
	for _, f := range found {
		select {
		case a.queue <- f:
		default:
			a.drop(ctx, f, errors.New("too many findings are waiting"))
		}
	}
}

// deliver posts the findings of one span, again and again while the backend is
// away.
func (a *annotator) deliver(ctx context.Context, f sessionFindings) {
	if tags := tagsOf(f); len(tags) > 0 {
		if err := a.retry(ctx, func() error { return a.client.postTags(ctx, f.sessionID, tags) }); err != nil {
			a.drop(ctx, f, err)
			return
		}
	}
	for _, finding := range f.findings {
		note := wire.Annotation{Text: cut(finding.Text, wire.MaxAnnotationChars), Author: annotatorAuthor, Type: wire.AnnotationWarning}
		if finding.OnEvent {
			note.EventID = f.eventID
		}
		if err := a.retry(ctx, func() error { return a.client.postAnnotation(ctx, f.sessionID, note) }); err != nil {
			a.drop(ctx, f, err)
			return
		}
	}
}

// retry tries until post succeeds, fails for good, or ctx is done. It waits as
// long as the backend asks.
func (a *annotator) retry(ctx context.Context, post func() error) error {
	wait := backoff.NewExponentialBackOff()
	wait.MaxInterval = 30 * time.Second
	for {
		err := post()
		if err == nil || consumererror.IsPermanent(err) {
			return err
		}
		pause := wait.NextBackOff()
		if t := (*throttled)(nil); errors.As(err, &t) {
			pause = max(pause, t.wait)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

func (a *annotator) drop(ctx context.Context, f sessionFindings, err error) {
	a.telemetry.ExporterAgentlensAnnotationsDropped.Add(ctx, int64(len(f.findings)))
	a.logger.Warn("Findings did not reach the backend", zap.String("session_id", f.sessionID), zap.Int("findings", len(f.findings)), zap.Error(err))
}

// tagsOf returns the tags of the findings, each once.
func tagsOf(f sessionFindings) []string {
	var tags []string
	seen := map[string]bool{"": true}
	for _, finding := range f.findings {
		if tag := cut(finding.Tag, wire.MaxTagChars); !seen[tag] {
			seen[tag] = true
			tags = append(tags, tag)
		}
	}
	return tags
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
