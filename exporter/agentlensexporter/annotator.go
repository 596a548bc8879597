package agentlensexporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

const (
	// annotatorAuthor signs annotations.
	annotatorAuthor = "agentlens"
	// drainTime is how long a shutdown posts what waits in memory.
	drainTime = 5 * time.Second
)

// annotator posts findings as tags and annotations, each once, behind the
// events they concern and without delaying others.
type annotator struct {
	client    *client
	retry     configretry.BackOffConfig
	backlog   *backlog
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	cancel context.CancelFunc
	// stopping says that no more posts come.
	stopping atomic.Bool
	done     sync.WaitGroup
}

// newAnnotator starts an annotator. What waits in storage it posts first.
func newAnnotator(ctx context.Context, c *client, retry configretry.BackOffConfig, store storage.Client,
	logger *zap.Logger, telemetry *metadata.TelemetryBuilder,
) (*annotator, error) {
	waiting, err := newBacklog(ctx, store)
	if err != nil {
		logger.Error("Some findings are lost", zap.Error(err))
	}
	a := &annotator{client: c, retry: retry, backlog: waiting, logger: logger, telemetry: telemetry}
	err = telemetry.RegisterExporterAgentlensAnnotationBacklogCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(waiting.len()))
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("register the gauge of the annotation backlog: %w", err), waiting.close(ctx))
	}
	run, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.done.Go(func() { a.run(run) })
	return a, nil
}

// shutdown stops posting. What waits in memory only is posted for a short time
// yet, as long as the backend takes it; what waits in storage stays there. No
// add may come after it.
func (a *annotator) shutdown(ctx context.Context) error {
	a.stopping.Store(true)
	a.backlog.signal()
	finished := make(chan struct{})
	go func() { a.done.Wait(); close(finished) }()
	grace := drainTime
	if a.backlog.storage != nil {
		grace = 0
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	a.cancel()
	<-finished
	if n := a.backlog.len(); n > 0 && a.backlog.storage == nil {
		a.telemetry.ExporterAgentlensAnnotationsDropped.Add(ctx, int64(n))
		a.logger.Warn("Findings did not reach the backend before the shutdown", zap.Int("requests", n))
	}
	return a.backlog.close(context.WithoutCancel(ctx))
}

// add queues the findings of items whose events the backend has. It never
// waits: when too many wait already, it counts them as dropped and says so.
func (a *annotator) add(ctx context.Context, items []item) {
	var posts []post
	for i := range items {
		posts = append(posts, postsOf(&items[i], a.client.findings.limiter == nil)...)
	}
	if len(posts) == 0 {
		return
	}
	full, err := a.backlog.add(ctx, posts)
	if err != nil {
		a.logger.Warn("Findings wait in memory only", zap.Error(err))
	}
	if full > 0 {
		a.telemetry.ExporterAgentlensAnnotationsDropped.Add(ctx, int64(full))
		a.logger.Warn("Too many findings are waiting, newer ones are dropped", zap.Int("requests", full))
	}
}

// postsOf returns the requests that tell the findings on a span; those on what
// is in order only if asked for: a backend that limits requests has none to
// spare for them.
func postsOf(it *item, inOrder bool) []post {
	session := wireID(it.reading.Key())
	var posts []post
	for _, f := range it.findings {
		if f.Text == "" && !inOrder {
			continue
		}
		if tag := strings.TrimSpace(prefix(f.Tag, wire.MaxTagChars)); tag != "" {
			posts = append(posts, post{SessionID: session, Tag: tag})
		}
		if f.Text == "" {
			continue
		}
		f.Group.Value = cutText(f.Group.Value, wire.MaxStringChars)
		note := &wire.Annotation{
			Text: cutText(f.Text, wire.MaxAnnotationChars), Author: annotatorAuthor, Type: wire.AnnotationWarning, AlertGroup: wire.AlertGroup(f.Group),
		}
		if f.OnEvent && it.reading.Role == spanevent.RoleEvent {
			note.EventID = eventID(&it.reading)
		}
		posts = append(posts, post{SessionID: session, Note: note})
	}
	return posts
}

// run delivers what waits, until ctx is done or nothing waits and no more
// comes.
func (a *annotator) run(ctx context.Context) {
	// What was being posted when an earlier process died may have arrived.
	uncertain := a.backlog.len() > 0
	for ctx.Err() == nil {
		p, ok := a.backlog.next()
		if !ok {
			if a.stopping.Load() {
				return
			}
			select {
			case <-ctx.Done():
			case <-a.backlog.more:
			}
			continue
		}
		if !a.deliver(ctx, &p, uncertain) {
			return
		}
		uncertain = false
		if err := a.backlog.done(context.WithoutCancel(ctx)); err != nil {
			a.logger.Warn("A finding may be posted again after a restart", zap.Error(err))
		}
	}
}

// deliver posts p, again and again while the backend is away, and reports
// whether it is done with: posted or refused for good. Where it is uncertain
// whether an attempt has reached the backend, it looks before the next.
func (a *annotator) deliver(ctx context.Context, p *post, uncertain bool) bool {
	wait := backoff.ExponentialBackOff{
		InitialInterval: a.retry.InitialInterval, RandomizationFactor: a.retry.RandomizationFactor,
		Multiplier: a.retry.Multiplier, MaxInterval: a.retry.MaxInterval,
	}
	wait.Reset()
	for {
		err := a.post(ctx, p, uncertain)
		switch {
		case err == nil:
			a.telemetry.ExporterAgentlensAnnotationsSent.Add(ctx, 1)
			return true
		case consumererror.IsPermanent(err):
			a.telemetry.ExporterAgentlensAnnotationsDropped.Add(ctx, 1)
			a.logger.Warn("The backend refuses a finding for good, it is dropped", zap.String("session_id", p.SessionID), zap.Error(err))
			return true
		case a.stopping.Load():
			return false
		}
		known := (*refusal)(nil)
		uncertain = uncertain || !errors.As(err, &known)
		a.logger.Debug("A finding waits for the backend", zap.String("session_id", p.SessionID), zap.Error(err))
		// The pace waits for as long as the backend asks.
		if sleep(ctx, wait.NextBackOff()) != nil {
			return false
		}
	}
}

// post posts p, unless it is uncertain whether it was posted before, and it
// was.
func (a *annotator) post(ctx context.Context, p *post, uncertain bool) error {
	if p.Note == nil {
		// A tag may be set twice.
		return asPermanent(a.client.postTags(ctx, p.SessionID, []string{p.Tag}))
	}
	if uncertain {
		there, err := a.client.annotations(ctx, p.SessionID)
		if err != nil && !consumererror.IsPermanent(err) {
			return err
		}
		if slices.ContainsFunc(there, func(n wire.Annotation) bool { return n.Text == p.Note.Text && n.EventID == p.Note.EventID }) {
			return nil
		}
	}
	return asPermanent(a.client.postAnnotation(ctx, p.SessionID, p.Note))
}

// asPermanent makes an error for size permanent: a finding is not split.
func asPermanent(err error) error {
	if large := (*tooLarge)(nil); errors.As(err, &large) {
		return consumererror.NewPermanent(err)
	}
	return err
}
