// Package compliance checks sessions against a policy: token, event, duration
// and error bounds, which models and tools may, must and must not be used, and
// whether decisions are reasoned.
//
// It reads an analysis.Summary, never the events themselves, so that a check
// costs the same for a session of ten events and of a million. A policy that
// cannot be checked as written (an unknown kind, a missing limit, a custom rule
// without its function) is refused when it is loaded.
//
// It imports analysis and its strict decoder. Callers: client programs on
// session.Summary(), and the collector's processor when a session completes.
package compliance
