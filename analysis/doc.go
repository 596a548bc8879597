// Package analysis is the model that everything else shares: Session, Event,
// ToolCall, DecisionTrace, the Summary of what a session has done so far, and
// Explain.
//
// The engines live in its subfolders: forecast, compliance, drift, alert and
// pricing. They are plain Go, run on a client as well as in the collector, and
// do not import each other. Neither this package nor any below it imports
// OpenTelemetry or the collector. Compliance and drift read Summaries, never
// spans, so a session of a million events costs what a session of ten does.
//
// Callers: the SDK (instrumentation/agentlens), internal/spanevent, the
// processor, the exporter and the embedded backend.
package analysis
