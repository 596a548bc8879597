// Program agentlens is the AgentLens distribution of the OpenTelemetry
// Collector. components.go and main*.go are generated from builder-config.yaml
// by `make generate`; command.go adds the configuration that is used when none
// is given.
package main
