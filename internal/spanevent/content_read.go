package spanevent

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// readContent reads the wanted data of an event: what went in and what came
// out. Other libraries have one pair of keys for the content of any span; on
// that of a tool call it is the tool's, where the tool's own keys say nothing.
func readContent(r *Reading, f *facts, span ptrace.Span, s *Scope) {
	e := &r.Event
	if t := e.ToolCall; t != nil {
		in, out := s.wish(ContentToolInput), s.wish(ContentToolOutput)
		if in.wanted {
			t.Input = f.data(in, fieldToolArguments, "input")
		}
		if out.wanted {
			t.Output = f.data(out, fieldToolResult, "output")
		}
		if e.Type == analysis.EventToolCall && !r.Own {
			readInOut(&t.Input, &t.Output, in, out, f, span)
			return
		}
	}
	readInOut(&e.Input, &e.Output, s.wish(ContentInput), s.wish(ContentOutput), f, span)
}

// readInOut fills in what is wanted and not there yet: from the attributes that
// hold it, else from keys over which messages are spread, else from the span's
// events.
func readInOut(input, output *json.RawMessage, in, out wish, f *facts, span ptrace.Span) {
	wantInput, wantOutput := in.wanted && *input == nil, out.wanted && *output == nil
	if wantInput {
		*input = f.data(in, fieldInput, "input")
	}
	if wantOutput {
		*output = f.data(out, fieldOutput, "output")
	}
	wantInput, wantOutput = wantInput && *input == nil, wantOutput && *output == nil
	if !wantInput && !wantOutput {
		return
	}
	if f.bound < span.Attributes().Len() { // the keys over which messages are spread have no binding
		for d := range f.dialects() {
			if wantInput && *input == nil && d.flatInput != nil {
				*input = flattened(span.Attributes(), d.flatInput, "input")
			}
			if wantOutput && *output == nil && d.flatOutput != nil {
				*output = flattened(span.Attributes(), d.flatOutput, "output")
			}
		}
	}
	wantInput, wantOutput = wantInput && *input == nil, wantOutput && *output == nil
	if span.Events().Len() > 0 && (wantInput || wantOutput) {
		in, out := eventContent(span)
		if wantInput {
			*input = in
		}
		if wantOutput {
			*output = out
		}
	}
}

// flattened puts together what is spread over keys such as
// llm.input_messages.0.message.role; nil when there is none.
func flattened(attrs pcommon.Map, prefixes []string, key string) json.RawMessage {
	var root map[string]any
	for k, v := range attrs.All() {
		for _, prefix := range prefixes {
			if len(k) < len(prefix) || k[len(prefix)-1] != '.' { // soon said of nearly all
				continue
			}
			path, ok := strings.CutPrefix(k, prefix)
			if !ok || strings.Count(path, ".") > maxFlatDepth {
				continue
			}
			if root == nil {
				root = map[string]any{}
			}
			put(root, path, v.AsRaw())
		}
	}
	if root == nil {
		return nil
	}
	return wrapJSON(key, lists(root))
}

// maxFlatDepth bounds how deep a key can reach.
const maxFlatDepth = 16

func put(m map[string]any, path string, v any) {
	for {
		name, rest, more := strings.Cut(path, ".")
		if !more {
			if _, taken := m[name].(map[string]any); !taken {
				m[name] = v
			}
			return
		}
		next, ok := m[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[name] = next
		}
		m, path = next, rest
	}
}

// lists turns maps whose keys are all numbers into lists, in their order.
func lists(m map[string]any) any {
	numbers := make([]int, 0, len(m))
	for k, v := range m {
		if child, ok := v.(map[string]any); ok {
			m[k] = lists(child)
		}
		if n, err := strconv.Atoi(k); err == nil && strconv.Itoa(n) == k {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) != len(m) || len(m) == 0 {
		return m
	}
	slices.Sort(numbers)
	out := make([]any, len(numbers))
	for i, n := range numbers {
		out[i] = m[strconv.Itoa(n)]
	}
	return out
}

// eventContent reads the messages that stand on a span's events.
func eventContent(span ptrace.Span) (input, output json.RawMessage) {
	var in, out []any
	for _, event := range span.Events().All() {
		attrs := event.Attributes()
		switch event.Name() {
		case "gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message":
			in = append(in, message(event.Name(), attrs))
		case "gen_ai.choice":
			out = append(out, message(event.Name(), attrs))
		case "gen_ai.content.prompt":
			in = appendValue(in, attrs, "gen_ai.prompt")
		case "gen_ai.content.completion":
			out = appendValue(out, attrs, "gen_ai.completion")
		case "gen_ai.client.inference.operation.details":
			in = appendValue(in, attrs, "gen_ai.input.messages")
			out = appendValue(out, attrs, "gen_ai.output.messages")
		}
	}
	if in != nil {
		input = wrapJSON("input", in)
	}
	if out != nil {
		output = wrapJSON("output", out)
	}
	return input, output
}

// message is the content of one message event, with the role its name gives.
func message(event string, attrs pcommon.Map) map[string]any {
	m := map[string]any{}
	for k, v := range attrs.All() {
		m[k] = fromJSON(v)
	}
	if role, ok := strings.CutSuffix(strings.TrimPrefix(event, "gen_ai."), ".message"); ok && m["role"] == nil {
		m["role"] = role
	}
	return m
}

func appendValue(list []any, attrs pcommon.Map, key string) []any {
	if v, ok := attrs.Get(key); ok {
		return append(list, fromJSON(v))
	}
	return list
}

// fromJSON returns a value, decoded if it is the JSON of an object or a list.
func fromJSON(v pcommon.Value) any { return metadataValue(v.AsRaw()) }
