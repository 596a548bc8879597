package main

import (
	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/agentlens/agentlens-otel/cmd/agentlens/internal/readcmd"
	"github.com/agentlens/agentlens-otel/config"
)

// newCommand is the collector's command line, complete without --config: then
// the embedded configuration is used. It also reads trace files.
func newCommand(params otelcol.CollectorSettings) *cobra.Command {
	resolver := &params.ConfigProviderSettings.ResolverSettings
	resolver.URIs = []string{"yaml:" + config.Default}
	resolver.ConverterFactories = append(resolver.ConverterFactories, newReferences())
	cmd := otelcol.NewCommand(params)
	cmd.AddCommand(readcmd.NewCommand())
	return cmd
}
