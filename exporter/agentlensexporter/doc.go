// Package agentlensexporter is the collector exporter "agentlens". It forwards
// the sessions that spans tell of to an AgentLens backend: the original one or
// the one embedded in this distribution.
//
// A span's way: the sending queue batches it, push reads it
// (internal/spanevent), turns it into wire events (mapping.go), posts them to
// /events (client.go), and hands the findings on it to the annotator, which
// posts them as tags and annotations without delaying events.
//
//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
package agentlensexporter
