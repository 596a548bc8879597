// Package spanevent turns OpenTelemetry spans into events of agent sessions
// and writes findings back onto spans.
//
// Read says what one span tells: nothing (it is not GenAI), an event, the
// start or the end of a session, or a wrapper around events told elsewhere.
// The findings that the processor writes with this package are the ones that
// the exporter reads with it, so that the two cannot disagree.
//
// It imports pdata, semconv, analysis and the engines' report types; never
// the collector's component machinery. The processor and the exporter call it.
package spanevent
