// Package sessions assembles agent sessions from the readings of spans: which
// session a span belongs to, whether it was seen before, which spans tell of
// one call, when the session is complete, and which sessions to let go when
// there are too many.
//
// A session holds one Summary, and of each span of a foreign library a record
// of some 250 bytes, for such libraries wrap each other's calls and tell them
// twice, in any order. Spans of AgentLens's own SDK need no record. What a
// session adds up to does not depend on the order in which its spans came, as
// long as the copies of a call come within the newest spans of a session
// (Limits.MaxCalls, and MaxRecords of all), and the spans of a trace that names
// its session in only some of them before the trace is forgotten
// (Limits.MaxSessions traces are remembered).
//
// The package knows nothing of the engines or of the collector. The processor
// and the command that reads trace files call it.
package sessions
