// Program bench measures AgentLens for OpenTelemetry against a bare collector
// and against its peers, and prints one Markdown table a part:
//
//	make bench                                # all parts, about 40 minutes
//	make bench BENCH_PARTS=pipelines BENCH_ROUNDS=1
//	make bench-short                          # what CI runs
//
// It is a module of its own, so that users of AgentLens do not inherit what the
// comparison needs. load sends the spans, subject runs the collector, pipelines
// are its configurations, measure compares; growth and road measure what a
// pipeline of its own cannot show.
package main
