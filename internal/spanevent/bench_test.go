package spanevent

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// inferenceSpan is a call as the current convention has it, with 15 attributes.
func inferenceSpan(t testing.TB) ptrace.Span {
	c := spanCase{name: "chat gpt-4o", attrs: attrs{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
		"gen_ai.response.id": "chatcmpl-1", "gen_ai.response.finish_reasons": []any{"stop"}, "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 256,
		"gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.conversation.id": "sess-42",
		"gen_ai.agent.name": "support-agent", "server.address": "api.openai.com", "server.port": 443,
	}}
	return c.span(t)
}

// otherSpan is a call of HTTP and a database, with 10 attributes.
func otherSpan(t testing.TB) ptrace.Span {
	c := spanCase{name: "GET /orders", attrs: attrs{
		"http.request.method": "GET", "http.response.status_code": 200, "http.route": "/orders/{id}", "url.path": "/orders/7", "url.scheme": "https",
		"server.address": "shop.example", "server.port": 443, "db.system.name": "postgresql", "db.query.text": "SELECT 1", "network.protocol.version": "1.1",
	}}
	return c.span(t)
}

func BenchmarkReadInference(b *testing.B) {
	span, scope := inferenceSpan(b), Scope{}
	b.ReportAllocs()
	for b.Loop() {
		if r := scope.Read(span); r.Role != RoleEvent {
			b.Fatal(r.Role)
		}
	}
}

// As the processor reads: into memory it has, without the content that no rule
// looks at.
func BenchmarkReadInto(b *testing.B) {
	var work Workspace
	span, scope := inferenceSpan(b), Scope{}.Without(ContentAll).In(&work)
	var r Reading
	b.ReportAllocs()
	for b.Loop() {
		if !scope.ReadInto(&r, span) {
			b.Fatal("not GenAI")
		}
	}
}

func BenchmarkReadNotGenAI(b *testing.B) {
	span, scope := otherSpan(b), Scope{}
	b.ReportAllocs()
	for b.Loop() {
		if r := scope.Read(span); r.Role != RoleNone {
			b.Fatal(r.Role)
		}
	}
}

// Reading allocates the event's id and its session's, no more: content that is
// JSON is not copied.
func TestReadAllocations(t *testing.T) {
	span, other, scope := inferenceSpan(t), otherSpan(t), Scope{}
	answer := inferenceSpan(t)
	answer.Attributes().PutStr("output.value", `{"answer":"42"}`)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { scope.Read(answer) }), 2.0)
	require.NotEmpty(t, scope.Read(answer).Event.Output)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { scope.Read(span) }), 2.0)
	require.Zero(t, testing.AllocsPerRun(100, func() { scope.Read(other) }))
}

// Whatever arrives, reading, stamping, rewriting and reading again neither
// panics nor takes a span that is not GenAI for one.
func FuzzRead(f *testing.F) {
	marshal := func(spans ...ptrace.Span) []byte {
		td := ptrace.NewTraces()
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		ss.Scope().SetName("genkit-tracer")
		for _, span := range spans {
			span.CopyTo(ss.Spans().AppendEmpty())
		}
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(f, err)
		return b
	}
	f.Add(marshal(inferenceSpan(f), otherSpan(f)))
	f.Add(marshal(secretSpan()))
	policy, err := NewContentPolicy(&ContentConfig{Mode: "truncate(3)", Redact: []Redaction{{Pattern: "[a-c]+"}}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
		if err != nil {
			return
		}
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				scope := ForScope(ss.Scope())
				for _, span := range ss.Spans().All() {
					fuzzSpan(t, scope, span, policy)
				}
			}
		}
	})
}

func fuzzSpan(t *testing.T, scope Scope, span ptrace.Span, policy *ContentPolicy) {
	r := scope.Read(span)
	if r.Role == RoleNone {
		return
	}
	checkWithout(t, scope, span)
	used := Reading{memory: memory{buf: make([]byte, 0, 100)}}
	if !scope.ReadInto(&used, span) {
		t.Fatal("ReadInto does not recognise what Read does")
	}
	require.Equal(t, r, withoutMemory(used))
	if r.Role == RoleEvent && r.Event.Validate() != nil {
		t.Fatalf("an event that cannot be: %v", r.Event.Validate())
	}
	Normalize(span, &r)
	policy.Apply(span, true)
	Stamp(span, &r)
	again := ForScope(pcommon.NewInstrumentationScope()).Read(span)
	if again.Role == RoleNone {
		t.Fatal("a stamped span is not recognised")
	}
	if r.Role == RoleEvent && again.Key() != r.Key() {
		t.Fatalf("session %q became %q", r.Key(), again.Key())
	}
	Findings(span)
}
