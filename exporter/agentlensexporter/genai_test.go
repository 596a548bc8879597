package agentlensexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// genAIFactory is the factory with exporters that take the spans of the
// contract checker, which are of no use to an agent, for LLM calls.
func genAIFactory() exporter.Factory {
	own := NewFactory()
	return exporter.NewFactory(own.Type(), own.CreateDefaultConfig, exporter.WithTraces(
		func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
			e, err := own.CreateTraces(ctx, set, cfg)
			return &genAI{e}, err
		}, component.StabilityLevelDevelopment))
}

type genAI struct{ exporter.Traces }

func (g *genAI) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				id, _ := span.Attributes().Get("test_id")
				span.Attributes().PutStr(semconv.GenAIOperationName, semconv.OperationChat)
				span.Attributes().PutStr(semconv.GenAIRequestModel, "model-"+id.Str())
			}
		}
	}
	return g.Traces.ConsumeTraces(ctx, td)
}
