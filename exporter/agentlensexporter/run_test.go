package agentlensexporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/agentlens/agentlens-otel/exporter/agentlensexporter/internal/metadata"
)

// running is a started exporter with what it logs and counts.
type running struct {
	exporter.Traces
	t         *testing.T
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	stopped   bool
}

// fast returns the default configuration for an endpoint, with delays of
// milliseconds and without limits of rate.
func fast(endpoint string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.ClientConfig.Timeout = 5 * time.Second
	cfg.QueueConfig.Get().Batch.Get().FlushTimeout = 5 * time.Millisecond
	cfg.RetryConfig = configretry.BackOffConfig{
		Enabled: true, InitialInterval: 2 * time.Millisecond, Multiplier: 1.5, MaxInterval: 20 * time.Millisecond,
	}
	cfg.RateLimit = RateLimitConfig{}
	return cfg
}

// run starts an exporter from the factory, which stops with the test.
func run(t *testing.T, cfg *Config) *running { return runOn(t, cfg, componenttest.NewNopHost()) }

func runOn(t *testing.T, cfg *Config, host component.Host) *running {
	t.Helper()
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zapcore.DebugLevel)
	r := &running{t: t, telemetry: componenttest.NewTelemetry(), logs: logs}
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // the same after a restart
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	var err error
	r.Traces, err = NewFactory().CreateTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), host))
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(r.t, r.Shutdown(ctx))
}

// count returns the sum of a counter over all attributes, 0 when it has none.
func (r *running) count(name string) int64 {
	m, err := r.telemetry.GetMetric("otelcol_" + name)
	if err != nil {
		return 0
	}
	return sumOf(m)
}

// logged returns the lines with a message.
func (r *running) logged(message string) []observer.LoggedEntry {
	return r.logs.FilterMessageSnippet(message).All()
}
