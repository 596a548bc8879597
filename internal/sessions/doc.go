// Package sessions assembles agent sessions from the readings of spans: which
// session a span belongs to, whether it was seen before, when the session is
// complete, and which sessions to let go when there are too many.
//
// It holds one Summary a session, never spans, and knows nothing of the
// engines or of the collector. The processor calls it.
package sessions
