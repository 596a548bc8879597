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
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// agentLensExporter posts the events of spans to one backend.
type agentLensExporter struct {
	cfg       *Config
	set       exporter.Settings
	telemetry *metadata.TelemetryBuilder
	client    *client
	annotator *annotator
}

func newExporter(set exporter.Settings, cfg *Config) (*agentLensExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &agentLensExporter{cfg: cfg, set: set, telemetry: telemetry}, nil
}

func (e *agentLensExporter) start(ctx context.Context, host component.Host) error {
	base, err := url.Parse(e.cfg.ClientConfig.Endpoint)
	if err != nil {
		return fmt.Errorf("`endpoint`: %w", err)
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
	e.client = &client{http: httpClient, base: base, apiKey: string(e.cfg.APIKey)}
	e.annotator = newAnnotator(e.client, e.set.Logger, e.telemetry)
	e.annotator.start()
	return nil
}

func (e *agentLensExporter) shutdown(ctx context.Context) error {
	if e.annotator != nil {
		e.annotator.shutdown(ctx)
	}
	if e.client != nil {
		e.client.http.CloseIdleConnections()
	}
	e.telemetry.Shutdown()
	return nil
}

// push posts the events of a batch, in requests the backend takes. When a
// request fails, only its spans and those behind it are tried again: the
// backend's token sums would count a repeated one twice.
func (e *agentLensExporter) push(ctx context.Context, td ptrace.Traces) error {
	requests := buildRequests(td)
	for i, req := range requests {
		answer, err := e.client.postEvents(ctx, req.events)
		if err != nil {
			return retryFrom(err, td, requests, i)
		}
		e.account(ctx, req, answer)
		e.annotator.enqueue(ctx, req.findings)
	}
	return nil
}

// retryFrom says, in exporterhelper's terms, that the requests from the i-th
// on are to be tried again, and when.
func retryFrom(err error, td ptrace.Traces, requests []request, i int) error {
	if consumererror.IsPermanent(err) {
		return err
	}
	if i > 0 {
		err = consumererror.NewTraces(err, spansOf(td, requests[i:]))
	}
	if t := (*throttled)(nil); errors.As(err, &t) {
		return exporterhelper.NewThrottleRetry(err, t.wait)
	}
	return err
}

// account counts what the backend answered, and says so when it is less than
// was sent.
func (e *agentLensExporter) account(ctx context.Context, req request, answer wire.Answer) {
	e.telemetry.ExporterAgentlensEventsSent.Add(ctx, int64(answer.Processed))
	if answer.Skipped == 0 && answer.TruncatedFields == 0 && answer.Processed >= len(req.events) {
		return
	}
	skipped := max(answer.Skipped, len(req.events)-answer.Processed)
	e.telemetry.ExporterAgentlensEventsSkipped.Add(ctx, int64(skipped))
	e.telemetry.ExporterAgentlensFieldsTruncated.Add(ctx, int64(answer.TruncatedFields))
	e.set.Logger.Warn("The backend did not take all that was sent",
		zap.Int("sent", len(req.events)), zap.Int("processed", answer.Processed),
		zap.Int("skipped", answer.Skipped), zap.Int("truncated_fields", answer.TruncatedFields))
}
