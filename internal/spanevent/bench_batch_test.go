package spanevent

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// BenchmarkBatch is what a span costs to be read, stamped and forgotten in a
// batch of 60 as the processor does it: three sessions by one writer, with the
// HTTP and database spans of their clients, which are read but not stamped. Each
// batch is decoded first, outside the times that are told, beside a heap of the
// size of a busy collector's: so caches are as cold, and the garbage collector's
// write barriers as often on, as they are there.
func BenchmarkBatch(b *testing.B) {
	ballast := make([]*[16]*byte, 1<<17)
	for i := range ballast {
		ballast[i] = new([16]*byte)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, w := range batchWriters {
		for _, content := range []int{0, 2 << 10, 20 << 10} {
			b.Run(fmt.Sprintf("%s/%dkB", w.name, content>>10), func(b *testing.B) { benchmarkBatch(b, w.batch(content)) })
		}
	}
	b.Run("others", func(b *testing.B) { benchmarkBatch(b, clientsBatch()) })
	runtime.KeepAlive(ballast)
}

func benchmarkBatch(b *testing.B, td ptrace.Traces) {
	encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(b, err)
	unread := ContentAll &^ ContentOutput // as with one rule that looks for a pattern in outputs
	readings, spans := make([]Reading, batchSpans), make([]ptrace.Span, batchSpans)
	var work Workspace
	var read, stamp, clear []time.Duration
	for b.Loop() {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(encoded)
		if err != nil {
			b.Fatal(err)
		}
		from, n := time.Now(), 0
		for _, ss := range td.ResourceSpans().At(0).ScopeSpans().All() {
			scope := ForScope(ss.Scope()).Without(unread).In(&work)
			for _, span := range ss.Spans().All() {
				if scope.ReadInto(&readings[n], span) {
					spans[n] = span
					n++
				}
			}
		}
		hasRead := time.Now()
		for i := range n {
			Stamp(spans[i], &readings[i])
		}
		stamped := time.Now()
		for i := range n {
			readings[i].Clear()
		}
		work.Clear()
		read, stamp, clear = append(read, hasRead.Sub(from)), append(stamp, stamped.Sub(hasRead)), append(clear, time.Since(stamped))
	}
	// What is slowest of all was interrupted.
	perSpan := func(took []time.Duration, name string) {
		slices.Sort(took)
		took = took[:(len(took)*19+19)/20]
		var sum time.Duration
		for _, d := range took {
			sum += d
		}
		b.ReportMetric(float64(sum.Nanoseconds())/float64(len(took))/batchSpans, name+"-ns/span")
	}
	perSpan(read, "read")
	perSpan(stamp, "stamp")
	perSpan(clear, "clear")
	b.ReportMetric(0, "ns/op")
}

const batchSpans = 60

// batchWriter writes the calls of a model and of a tool that make up a session.
type batchWriter struct {
	name, scope string
	// all stands on every span of a session, root, chat and tool on theirs.
	all, root, chat, tool map[string]any
	// The keys of content; model's texts are of messages where they are messages.
	input, output, arguments, result string
	messages                         bool
}

var batchWriters = []batchWriter{
	{
		name: "SDK", scope: semconv.ScopeName,
		all:  map[string]any{semconv.SessionID: "", semconv.GenAIAgentName: "agent-7"},
		root: map[string]any{semconv.EventType: semconv.EventTypeSession, semconv.GenAIOperationName: "invoke_agent", semconv.SessionStatus: "completed", semconv.SessionTokensInput: 4000, semconv.SessionTokensOutput: 1000},
		chat: map[string]any{
			semconv.EventType: "llm_call", semconv.GenAIOperationName: "chat", semconv.GenAIProviderName: "openai", semconv.GenAIRequestModel: "gpt-4o",
			semconv.GenAIResponseModel: "gpt-4o", semconv.GenAIUsageInputTokens: 812, semconv.GenAIUsageOutputTokens: 220,
		},
		tool:  map[string]any{semconv.EventType: "tool_call", semconv.GenAIOperationName: "execute_tool", semconv.GenAIToolName: "web_search"},
		input: semconv.GenAIInputMessages, output: semconv.GenAIOutputMessages, messages: true,
		arguments: semconv.GenAIToolCallArguments, result: semconv.GenAIToolCallResult,
	},
	{
		name: "GenAI", scope: "opentelemetry.instrumentation.openai_v2",
		all:  map[string]any{semconv.GenAIConversationID: "", semconv.GenAIAgentName: "agent-7", semconv.GenAIProviderName: "openai"},
		root: map[string]any{semconv.GenAIOperationName: "invoke_agent"},
		chat: map[string]any{
			semconv.GenAIOperationName: "chat", semconv.GenAIResponseID: "chatcmpl-1234567890", "server.address": "api.example.com", "gen_ai.request.temperature": 0.2,
			semconv.GenAIRequestModel: "gpt-4o", semconv.GenAIResponseModel: "gpt-4o", semconv.GenAIUsageInputTokens: 812, semconv.GenAIUsageOutputTokens: 220,
		},
		tool:  map[string]any{semconv.GenAIOperationName: "execute_tool", semconv.GenAIToolName: "web_search"},
		input: semconv.GenAIInputMessages, output: semconv.GenAIOutputMessages, messages: true,
		arguments: semconv.GenAIToolCallArguments, result: semconv.GenAIToolCallResult,
	},
	{
		name: "OpenInference", scope: "openinference.instrumentation.openai",
		all:  map[string]any{semconv.SessionID: ""},
		root: map[string]any{"openinference.span.kind": "AGENT", "agent.name": "agent-7"},
		chat: map[string]any{
			"openinference.span.kind": "LLM", "llm.provider": "openai", "llm.model_name": "gpt-4o",
			"llm.token_count.prompt": 812, "llm.token_count.completion": 220, "llm.token_count.total": 1032,
		},
		tool:  map[string]any{"openinference.span.kind": "TOOL", "tool.name": "web_search"},
		input: "input.value", output: "output.value", arguments: "input.value", result: "output.value",
	},
}

// batch returns three sessions: a root, six calls of a model and five of a tool,
// each, with as many bytes of content in each answer and result, and eight spans
// of clients.
func (w *batchWriter) batch(content int) ptrace.Traces {
	td, agent, clients := newBatch(w.scope)
	for session := range 3 {
		id := hex.EncodeToString([]byte{1, 2, 3, 4, 5, 6, 7, byte(session)})
		add := func(name string, attrs map[string]any) pcommon.Map {
			span := batchSpan(agent, session, name)
			for _, part := range []map[string]any{w.all, attrs} {
				putAll(span.Attributes(), part)
			}
			for _, key := range []string{semconv.SessionID, semconv.GenAIConversationID} {
				if v, ok := span.Attributes().Get(key); ok {
					v.SetStr(id)
				}
			}
			return span.Attributes()
		}
		for range 6 {
			attrs := add("chat gpt-4o", w.chat)
			if content > 0 {
				question, answer := batchText(content), batchText(content)
				if w.messages {
					question = `[{"role":"user","parts":[{"type":"text","content":"` + question + `"}]}]`
					answer = `[{"role":"assistant","parts":[{"type":"text","content":"` + answer + `"}],"finish_reason":"stop"}]`
				}
				attrs.PutStr(w.input, question)
				attrs.PutStr(w.output, answer)
			}
		}
		for range 5 {
			attrs := add("execute_tool web_search", w.tool)
			if content > 0 {
				attrs.PutStr(w.arguments, `{"query":"`+batchText(100)+`"}`)
				attrs.PutStr(w.result, `{"result":"`+batchText(content)+`"}`)
			}
		}
		for range 4 {
			clientSpans(clients, session)
		}
		add("invoke_agent agent-7", w.root)
	}
	return td
}

func clientsBatch() ptrace.Traces {
	td, _, clients := newBatch("")
	for i := range batchSpans / 2 {
		clientSpans(clients, i)
	}
	return td
}

func newBatch(scope string) (td ptrace.Traces, agent, clients ptrace.SpanSlice) {
	td = ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.ScopeSpans().AppendEmpty().Scope().SetName(scope)
	resource.ScopeSpans().AppendEmpty().Scope().SetName("opentelemetry.instrumentation.httpx")
	return td, resource.ScopeSpans().At(0).Spans(), resource.ScopeSpans().At(1).Spans()
}

func clientSpans(spans ptrace.SpanSlice, session int) {
	putAll(batchSpan(spans, session, "POST").Attributes(), map[string]any{
		"http.request.method": "POST", "http.response.status_code": 200, "url.full": "https://api.example.com/v1/chat/completions",
		"server.address": "api.example.com", "server.port": 443, "network.protocol.version": "1.1", "user_agent.original": "python-httpx/0.28",
	})
	putAll(batchSpan(spans, session, "SELECT orders").Attributes(), map[string]any{
		"db.system.name": "postgresql", "db.namespace": "shop", "db.operation.name": "SELECT", "db.collection.name": "orders",
		"db.query.text": "SELECT id FROM orders WHERE customer = $1", "server.address": "db.example.com", "server.port": 5432,
	})
}

func batchSpan(spans ptrace.SpanSlice, session int, name string) ptrace.Span {
	span := spans.AppendEmpty()
	span.SetName(name)
	span.SetTraceID(pcommon.TraceID{1, 2, byte(session)})
	span.SetSpanID(pcommon.SpanID{1, byte(session), byte(spans.Len())})
	span.SetParentSpanID(pcommon.SpanID{1, byte(session), 0, 1})
	span.SetStartTimestamp(1_790_000_000_000_000_000)
	span.SetEndTimestamp(1_790_000_001_500_000_000)
	return span
}

func putAll(attrs pcommon.Map, values map[string]any) {
	for key, v := range values {
		if err := attrs.PutEmpty(key).FromRaw(v); err != nil {
			panic(err)
		}
	}
}

// batchText is prose of a size.
func batchText(size int) string {
	const words = "the agent searched weather in Paris and found no result for order A-7731 of 2026-05-14, please (see below), "
	return strings.Repeat(words, size/len(words)+1)[:size]
}
