// Package spantree keeps the spans of an example in memory and prints them as
// a tree, in the place of a tracing backend.
package spantree

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// Print writes the spans, each under its parent, in the order in which they
// started, with the values of the keys that a span has.
func Print(w io.Writer, spans tracetest.SpanStubs, keys ...attribute.Key) {
	children := map[trace.SpanID]tracetest.SpanStubs{}
	known := map[trace.SpanID]bool{}
	for _, s := range spans {
		known[s.SpanContext.SpanID()] = true
	}
	for _, s := range spans {
		parent := s.Parent.SpanID()
		if !known[parent] {
			parent = trace.SpanID{}
		}
		children[parent] = append(children[parent], s)
	}
	var under func(trace.SpanID, int)
	under = func(parent trace.SpanID, depth int) {
		list := children[parent]
		slices.SortStableFunc(list, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
		for _, s := range list {
			fmt.Fprintf(w, "%s%s%s\n", strings.Repeat("  ", depth), s.Name, describe(&s, keys))
			under(s.SpanContext.SpanID(), depth+1)
		}
	}
	under(trace.SpanID{}, 0)
}

func describe(s *tracetest.SpanStub, keys []attribute.Key) string {
	var parts []string
	for _, key := range keys {
		for _, kv := range s.Attributes {
			if kv.Key == key {
				parts = append(parts, kv.Value.String())
			}
		}
	}
	if len(s.Links) > 0 {
		parts = append(parts, fmt.Sprintf("%d links", len(s.Links)))
	}
	if s.Status.Description != "" {
		parts = append(parts, "failed: "+s.Status.Description)
	}
	if len(parts) == 0 {
		return ""
	}
	return "  (" + strings.Join(parts, ", ") + ")"
}
