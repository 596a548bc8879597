// Package agentlensprocessor is the collector processor "agentlens". It reads
// GenAI spans, assembles agent sessions, runs the analysis engines over them
// and writes the findings onto the spans, which go on in the same call.
//
// A span's way: ConsumeTraces reads it (internal/spanevent), prices it
// (analysis/pricing), adds it to its session (internal/sessions), and, when
// that completes the session, runs the compliance policies and stamps the
// report on. Nothing is held back and no span is kept.
//
//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
package agentlensprocessor
