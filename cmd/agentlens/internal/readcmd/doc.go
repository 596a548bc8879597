// Package readcmd is the command "agentlens read": what the reader makes of a
// file of OTLP traces, span by span and session by session, for people who
// wonder why a figure is what it is, and for their bug reports.
//
// It imports internal/spanevent, internal/sessions and analysis/pricing, and no
// component of the collector. The command agentlens adds it to its commands.
package readcmd
