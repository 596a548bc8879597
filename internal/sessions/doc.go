// Package sessions assembles agent sessions from the readings of spans: which
// session a span belongs to, whether it was seen before, which spans tell of
// one call, when the session is complete, and which sessions to let go when
// there are too many.
//
// Libraries wrap each other's calls and tell them twice, in any order, and what
// AgentLens's own SDK tells of a call, another library may tell beside it. So a
// session is a Summary of what is settled, and records of the calls, each of 112
// bytes, that copies may still come of. What a session adds up to does not
// depend on the order in which its spans came, as long as
//
//   - the copies of a call that other libraries tell come within the newest
//     spans of the session (Limits.MaxCalls, and MaxRecords of all);
//   - those of a call that only the SDK has told so far come within a minute of
//     it: in the time of the session's events while these go on, in the time of
//     arrival when it is quiet. At most 64 such calls wait in a session;
//   - the spans of a trace that names its session in only some of them come
//     before the trace is forgotten (Limits.MaxSessions traces are remembered).
//
// A copy that comes later counts again.
//
// In memory, a session is bounded by its records, by MaxNames names of each kind
// in its Summary, and by the buckets of its durations. What a span costs does
// not depend on how many came before it in its session: a record finds those
// that may tell of its call by an index, and resolve looks at no others.
//
// Most sessions that are held are quiet: completed ones, kept for their late
// spans, and open ones between two requests. But for a few they rest, packed into
// bytes, from the end of a request on (Rest), and wake when a span comes. The
// garbage collector, which walks what is awake again and again, was the largest
// cost of holding many sessions.
//
// The package knows nothing of the engines or of the collector. The processor,
// the command that reads trace files and package agentlenstest call it.
package sessions
