// Package spanevent turns OpenTelemetry spans into events of agent sessions
// and writes findings back onto spans.
//
// Read says what one span tells: nothing (it is not GenAI), an event, the
// start or the end of a session, or a wrapper around events told elsewhere.
// That two spans tell of one call is not seen here but in package sessions.
// The findings that the processor writes with this package are the ones that
// the exporter reads with it, so that the two cannot disagree.
//
// A library's way of writing spans is a dialect: a table that says which keys
// mean what (dialect_*.go). To read another, add a file with one, list it in
// dialects (dialect.go), and add to read_test.go a span as the library writes
// it. The same tables tell the content policy which keys hold prompts and tool
// data, and Normalize what to write in the keys of the convention.
//
// It imports pdata, semconv, analysis and the engines' report types; never
// the collector's component machinery. The processor, the exporter, package
// sessions and the command that reads trace files call it.
package spanevent
