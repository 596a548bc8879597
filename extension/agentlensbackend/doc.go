// Package agentlensbackend is the collector extension agentlens_backend: it
// runs the embedded AgentLens backend, its API and its pages, inside the
// collector.
//
// It owns the listener and the life of a backend.Server, which knows nothing of
// the collector, and serves OTLP/HTTP for spans (traces.go), which it gives to
// the receiver agentlens. The agentlens exporter reaches it over HTTP, as it would the
// original backend. Its caller is the collector, through NewFactory.
package agentlensbackend

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
