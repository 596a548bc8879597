package agentlensexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter "agentlens".
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		exporter.WithTraces(createTraces, metadata.TracesStability),
	)
}

func createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	c := cfg.(*Config)
	e, err := newExporter(set, c)
	if err != nil {
		return nil, err
	}
	queued, err := exporterhelper.NewTraces(ctx, set, cfg, e.push,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		// The HTTP client has the timeout.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(c.RetryConfig),
		exporterhelper.WithQueue(c.QueueConfig),
	)
	if err != nil {
		return nil, err
	}
	return &announcing{Traces: queued, known: e.known, storage: c.storage()}, nil
}

// announcing notes how sessions begin before their spans are queued. Behind
// the queue, with several consumers, a later batch could be sent first, and of
// two session_starts the original backend keeps the one that comes first.
type announcing struct {
	exporter.Traces
	known   *knownSessions
	storage *component.ID
}

func (a *announcing) Start(ctx context.Context, host component.Host) error {
	if a.storage != nil {
		host = partsHost{host, *a.storage}
	}
	return a.Traces.Start(ctx, host)
}

func (a *announcing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	a.known.announce(td)
	return a.Traces.ConsumeTraces(ctx, td)
}
