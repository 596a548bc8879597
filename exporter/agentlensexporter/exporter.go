package agentlensexporter

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// agentLensExporter posts the events of spans to one backend.
type agentLensExporter struct {
	cfg       *Config
	set       exporter.Settings
	telemetry *metadata.TelemetryBuilder
	known     *knownSessions
	client    *client
	annotator *annotator
}

func newExporter(set exporter.Settings, cfg *Config) (*agentLensExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &agentLensExporter{cfg: cfg, set: set, telemetry: telemetry, known: newKnownSessions()}, nil
}

func (e *agentLensExporter) start(ctx context.Context, host component.Host) error {
	base, err := url.Parse(e.cfg.ClientConfig.Endpoint)
	if err != nil {
		return fmt.Errorf("`endpoint`: %w", withoutURL(err))
	}
	httpConfig := e.cfg.ClientConfig
	if httpConfig.Compression == "" && !isLoopback(base) {
		httpConfig.Compression = configcompression.TypeGzip
	}
	if e.cfg.APIKey != "" && base.Scheme == "http" && !isLoopback(base) {
		e.set.Logger.Warn("The API key is sent over plain HTTP to a host that is not this one", zap.String("endpoint", base.Redacted()))
	}
	httpClient, err := httpConfig.ToClient(ctx, host.GetExtensions(), e.set.TelemetrySettings)
	if err != nil {
		return fmt.Errorf("HTTP client: %w", err)
	}
	httpClient.CheckRedirect = noRedirect
	e.client = &client{
		http: httpClient, base: base, apiKey: string(e.cfg.APIKey), latency: e.telemetry.ExporterAgentlensRequestDuration,
		events: newPace(e.cfg.RateLimit.EventsPerMinute), findings: newPace(e.cfg.RateLimit.FindingsPerMinute),
	}
	storage, err := openStorage(ctx, host, e.cfg, e.set.ID)
	if err != nil {
		return err
	}
	e.annotator, err = newAnnotator(ctx, e.client, e.cfg.RetryConfig, storage, e.set.Logger, e.telemetry)
	return err
}

func (e *agentLensExporter) shutdown(ctx context.Context) error {
	var err error
	if e.annotator != nil {
		err = e.annotator.shutdown(ctx)
		e.annotator = nil
	}
	if e.client != nil {
		e.client.http.CloseIdleConnections()
	}
	e.telemetry.Shutdown()
	return err
}

// push posts the events of a batch, in requests the backend takes. A request
// that is too large is split. One that is refused for good costs no other.
// When one fails otherwise, its spans and those behind it are to be tried
// again, and no others: the original backend's token sums would count a
// repeated one twice.
func (e *agentLensExporter) push(ctx context.Context, td ptrace.Traces) error {
	items := readItems(td)
	known := e.known.observe(items)
	todo := buildRequests(items, known)
	var refused []error
	for done := false; len(todo) > 0; done = true {
		req := &todo[0]
		err := e.send(ctx, req)
		var large *tooLarge
		switch {
		case err == nil:
			e.annotator.add(ctx, req.items)
			if again := e.known.sent(req); len(again) > 0 {
				todo[0] = newEnds(req.items, again)
				continue
			}
		case errors.As(err, &large) || consumererror.IsPermanent(err):
			if smaller := e.smaller(req, err, known); smaller != nil {
				todo = append(smaller, todo[1:]...)
				continue
			}
			e.known.sent(req)
			e.drop(ctx, req, err)
			refused = append(refused, err)
		default:
			return retryRest(err, td, todo, done)
		}
		todo = todo[1:]
	}
	if len(refused) > 0 {
		return consumererror.NewPermanent(errors.Join(refused...))
	}
	return nil
}

// send posts a request. A body that the backend does not take is not sent.
func (e *agentLensExporter) send(ctx context.Context, req *request) error {
	err := req.encode(func(event *wire.Event, err error) {
		e.set.Logger.Error("An event cannot be written as JSON and is sent without its data",
			zap.String("session_id", event.SessionID), zap.String("event_id", event.EventID), zap.Error(err))
	})
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("encode a batch: %w", err))
	}
	if len(req.body) > wire.MaxBatchBytes {
		return &tooLarge{fmt.Errorf("a batch of %d bytes is more than the %d that the backend takes", len(req.body), wire.MaxBatchBytes)}
	}
	e.known.sending(req)
	answer, err := e.client.postEvents(ctx, req.body)
	if err == nil {
		e.account(ctx, req, answer)
	}
	return err
}

// smaller returns what to send in place of a request that was refused with
// err: its halves, or the one event with its fields cut short; nil when there
// is nothing smaller, or the size was not why.
func (e *agentLensExporter) smaller(req *request, err error, known map[string]snapshot) []request {
	if large := (*tooLarge)(nil); !errors.As(err, &large) {
		return nil
	}
	if parts, ok := req.halves(known); ok {
		return parts
	}
	if req.fieldLimit <= smallField {
		return nil
	}
	return []request{newRequest(req.items, known, smallField)}
}

// retryRest says, in exporterhelper's terms, that the requests still to do are
// to be tried again, and when.
func retryRest(err error, td ptrace.Traces, todo []request, done bool) error {
	wait := (*throttled)(nil)
	slow := errors.As(err, &wait)
	if done {
		err = consumererror.NewTraces(err, spansOf(td, todo))
	}
	if slow {
		return exporterhelper.NewThrottleRetry(err, wait.wait)
	}
	return err
}

// Values of the attribute reason of dropped events.
const (
	droppedRefused  = "refused"
	droppedTooLarge = "too_large"
)

// drop counts and logs a request that the backend will never take.
func (e *agentLensExporter) drop(ctx context.Context, req *request, err error) {
	why := droppedRefused
	if large := (*tooLarge)(nil); errors.As(err, &large) {
		why = droppedTooLarge
	}
	e.telemetry.ExporterAgentlensEventsDropped.Add(ctx, int64(len(req.events)), metric.WithAttributes(attribute.String("reason", why)))
	e.set.Logger.Error("The backend refuses events for good, they are dropped", zap.Int("events", len(req.events)), zap.Error(err))
}
