// Package capture decides what becomes of content: of prompts, answers, the
// arguments and results of tools, and errors that may quote them. Package
// agentlens and the middlewares share its modes, its redaction and its JSON, so
// that one setting means one thing wherever a span is written.
//
// A Policy is fail-closed: what a redactor failed on is not captured. A context
// of an agentlens session holds the session's policy, which the middlewares
// find here without importing agentlens.
//
// It imports the standard library alone.
package capture
