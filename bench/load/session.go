package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// Shape is how the spans of a session are written.
type Shape int

// The shapes. Every session has the same spans in each.
const (
	// ShapeSDK is what AgentLens's own SDK writes.
	ShapeSDK Shape = iota
	// ShapeGenAI is what instrumentations of the GenAI convention write.
	ShapeGenAI
	// ShapeOpenInference is what Arize's instrumentations write.
	ShapeOpenInference
)

// Content is how large the content of a call is, in bytes: log-uniform between
// the two. Zero is calls without content.
type Content struct{ Min, Max int }

// SpansPerSession is how many spans a session has: root, start, and in each
// turn a chat, a tool call, and a client's span below each; two decisions.
// OpenInference knows neither start nor decision: three fewer.
const (
	SpansPerSession = 20
	turns           = 4
)

// Events returns how many events a whole session of the shape holds.
func (s Shape) Events() int {
	if s == ShapeSDK {
		return 2*turns + turns/2 // a decision is an event only to the SDK
	}
	return 2 * turns
}

// half is a half of a session: spans of one session come in two requests, as
// they do from a process whose batches go out every second.
type half int

const (
	firstHalf half = iota
	secondHalf
)

// writer writes template sessions: ids and times stand for what is put in
// their place when the request is sent.
type writer struct {
	random  *rand.Rand
	content Content
	text    []byte
}

func newWriter(seed uint64, content Content) *writer {
	w := &writer{random: rand.New(rand.NewPCG(seed, 1)), content: content}
	words := []string{
		"the", "agent", "searched", "weather", "in", "Paris", "and", "found", "no", "result", "for", "order", "A-7731", "of", "2026-05-14",
		"refund", "policy", "a", "customer's", "please", "well-known", "over", "120.50", "EUR", "(see", "below),", "then",
	}
	for len(w.text) < content.Max+64 {
		w.text = append(w.text, words[w.random.IntN(len(words))]...)
		w.text = append(w.text, ' ')
	}
	return w
}

// words returns text of a random size.
func (w *writer) words() string {
	if w.content.Max == 0 {
		return ""
	}
	ratio := float64(w.content.Max) / float64(w.content.Min)
	size := int(float64(w.content.Min) * math.Pow(ratio, w.random.Float64()))
	from := w.random.IntN(len(w.text) - size)
	return string(w.text[from : from+size])
}

// session appends half of the session with the given number to a resource's
// spans: those of the agent's own scope, and of an HTTP and database client's.
func (w *writer) session(agent, clients ptrace.SpanSlice, number int, shape Shape, which half) {
	s := &sessionWriter{writer: w, number: number, shape: shape, model: models[number%len(models)], agent: fmt.Sprintf("agent-%d", number%10)}
	if which == firstHalf && shape != ShapeOpenInference {
		s.start(agent.AppendEmpty())
	}
	for turn := range turns {
		s.next = 2 + 5*turn
		if (turn < turns/2) != (which == firstHalf) {
			continue
		}
		s.turn(agent, clients, turn)
	}
	if which == secondHalf {
		s.root(agent.AppendEmpty())
	}
}

var models = []struct{ provider, name string }{
	{"openai", "gpt-4o"}, {"openai", "gpt-4o-mini"}, {"anthropic", "claude-sonnet-4-5"}, {"gcp.gemini", "gemini-2.5-flash"},
}

// tools are what agents call.
var tools = []string{"web_search", "get_weather", "read_file", "query_orders", "send_mail"}

type sessionWriter struct {
	*writer
	number int
	shape  Shape
	model  struct{ provider, name string }
	agent  string
	// next is the number of the next span; 0 is the root, 1 the start.
	next int
}

// The root is the last to come.
func (s *sessionWriter) root(span ptrace.Span) {
	s.span(span, 0, -1, "invoke_agent "+s.agent, ptrace.SpanKindInternal, 0, 20*time.Second)
	attrs := span.Attributes()
	switch s.shape {
	case ShapeSDK:
		s.own(attrs, semconv.EventTypeSession)
		attrs.PutStr(semconv.GenAIOperationName, semconv.OperationInvokeAgent)
		attrs.PutStr(semconv.SessionStatus, "completed")
		attrs.PutInt(semconv.SessionTokensInput, 4000)
		attrs.PutInt(semconv.SessionTokensOutput, 1000)
		attrs.PutStr(semconv.SessionMetadataPrefix+"version", "2.1.0")
	case ShapeGenAI:
		s.convention(attrs, semconv.OperationInvokeAgent)
	case ShapeOpenInference:
		attrs.PutStr("openinference.span.kind", "AGENT")
		attrs.PutStr(semconv.SessionID, sessionMark(s.number))
		attrs.PutStr("agent.name", s.agent)
		attrs.PutStr("input.value", s.words())
	}
}

// start is the span with which the SDK announces a session; the convention's
// instrumentations create an agent there.
func (s *sessionWriter) start(span ptrace.Span) {
	s.span(span, 1, 0, semconv.SpanSessionStart, ptrace.SpanKindInternal, 0, 0)
	if s.shape == ShapeSDK {
		s.own(span.Attributes(), semconv.EventTypeSessionStart)
		span.Attributes().PutStr(semconv.SessionMetadataPrefix+"version", "2.1.0")
		return
	}
	span.SetName("create_agent " + s.agent)
	s.convention(span.Attributes(), "create_agent")
}

func (s *sessionWriter) own(attrs pcommon.Map, eventType string) {
	attrs.PutStr(semconv.SessionID, sessionMark(s.number))
	attrs.PutStr(semconv.GenAIAgentName, s.agent)
	attrs.PutStr(semconv.EventType, eventType)
}

func (s *sessionWriter) convention(attrs pcommon.Map, operation string) {
	attrs.PutStr(semconv.GenAIOperationName, operation)
	attrs.PutStr(semconv.GenAIProviderName, s.model.provider)
	attrs.PutStr(semconv.GenAIConversationID, sessionMark(s.number))
	attrs.PutStr(semconv.GenAIAgentName, s.agent)
}

// turn is a request to a model and the tool it asks for; a client's span below
// each, and a decision in every second turn.
func (s *sessionWriter) turn(agent, clients ptrace.SpanSlice, n int) {
	at := time.Duration(n) * 4 * time.Second
	s.chat(agent.AppendEmpty(), at)
	s.http(clients.AppendEmpty(), at)
	s.tool(agent.AppendEmpty(), tools[(s.number+n)%len(tools)], at+2*time.Second)
	s.database(clients.AppendEmpty(), at+2*time.Second)
	if n%2 == 0 && s.shape != ShapeOpenInference {
		s.decision(agent.AppendEmpty(), at+3*time.Second)
	}
}

func (s *sessionWriter) chat(span ptrace.Span, at time.Duration) {
	s.span(span, s.take(), 0, "chat "+s.model.name, ptrace.SpanKindClient, at, at+1500*time.Millisecond)
	attrs, in, out := span.Attributes(), 500+s.random.Int64N(1000), 100+s.random.Int64N(300)
	question, answer := s.words(), s.words()
	answer = answer[:len(answer)/4]
	if s.shape == ShapeOpenInference {
		attrs.PutStr("openinference.span.kind", "LLM")
		attrs.PutStr(semconv.SessionID, sessionMark(s.number))
		attrs.PutStr("llm.provider", s.model.provider)
		attrs.PutStr("llm.model_name", s.model.name)
		attrs.PutInt("llm.token_count.prompt", in)
		attrs.PutInt("llm.token_count.completion", out)
		attrs.PutInt("llm.token_count.total", in+out)
		put(attrs, "input.value", question)
		put(attrs, "output.value", answer)
		return
	}
	if s.shape == ShapeSDK {
		s.own(attrs, "llm_call")
		attrs.PutStr(semconv.GenAIOperationName, semconv.OperationChat)
		attrs.PutStr(semconv.GenAIProviderName, s.model.provider)
	} else {
		s.convention(attrs, semconv.OperationChat)
		attrs.PutStr(semconv.GenAIResponseID, fmt.Sprintf("chatcmpl-%d", s.random.Uint64()))
		attrs.PutStr("server.address", "api.example.com")
		attrs.PutDouble("gen_ai.request.temperature", 0.2)
	}
	attrs.PutStr(semconv.GenAIRequestModel, s.model.name)
	attrs.PutStr(semconv.GenAIResponseModel, s.model.name)
	attrs.PutInt(semconv.GenAIUsageInputTokens, in)
	attrs.PutInt(semconv.GenAIUsageOutputTokens, out)
	if question != "" {
		attrs.PutStr(semconv.GenAIInputMessages, `[{"role":"user","parts":[{"type":"text","content":"`+question+`"}]}]`)
		attrs.PutStr(semconv.GenAIOutputMessages, `[{"role":"assistant","parts":[{"type":"text","content":"`+answer+`"}],"finish_reason":"stop"}]`)
	}
}

func (s *sessionWriter) tool(span ptrace.Span, name string, at time.Duration) {
	s.span(span, s.take(), 0, "execute_tool "+name, ptrace.SpanKindInternal, at, at+700*time.Millisecond)
	attrs, query, result := span.Attributes(), s.words(), s.words()
	if len(query) > 200 {
		query = query[:200]
	}
	if query != "" {
		query, result = `{"query":"`+query+`"}`, `{"result":"`+result+`"}`
	}
	switch s.shape {
	case ShapeSDK:
		s.own(attrs, "tool_call")
		attrs.PutStr(semconv.GenAIOperationName, semconv.OperationExecuteTool)
	case ShapeGenAI:
		s.convention(attrs, semconv.OperationExecuteTool)
	case ShapeOpenInference:
		attrs.PutStr("openinference.span.kind", "TOOL")
		attrs.PutStr(semconv.SessionID, sessionMark(s.number))
		attrs.PutStr("tool.name", name)
		put(attrs, "input.value", query)
		put(attrs, "output.value", result)
		return
	}
	attrs.PutStr(semconv.GenAIToolName, name)
	put(attrs, semconv.GenAIToolCallArguments, query)
	put(attrs, semconv.GenAIToolCallResult, result)
	if s.random.IntN(50) == 0 {
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage("timed out")
		attrs.PutStr(semconv.ErrorType, "timeout")
	}
}

func (s *sessionWriter) decision(span ptrace.Span, at time.Duration) {
	s.span(span, s.take(), 0, semconv.SpanDecision, ptrace.SpanKindInternal, at, at)
	attrs := span.Attributes()
	if s.shape == ShapeGenAI {
		s.convention(attrs, "plan")
		return
	}
	s.own(attrs, "decision")
	attrs.PutStr(semconv.DecisionStep, "choose a tool")
	attrs.PutStr(semconv.DecisionReasoning, "The question needs data that only the tool has; its last answer was older than an hour.")
	attrs.PutDouble(semconv.DecisionConfidence, 0.83)
}

func (s *sessionWriter) http(span ptrace.Span, at time.Duration) {
	s.span(span, s.take(), s.next-2, "POST", ptrace.SpanKindClient, at, at+1400*time.Millisecond)
	attrs := span.Attributes()
	attrs.PutStr("http.request.method", "POST")
	attrs.PutInt("http.response.status_code", 200)
	attrs.PutStr("url.full", "https://api.example.com/v1/chat/completions")
	attrs.PutStr("server.address", "api.example.com")
	attrs.PutInt("server.port", 443)
	attrs.PutStr("network.protocol.version", "1.1")
	attrs.PutStr("user_agent.original", "python-httpx/0.28")
}

func (s *sessionWriter) database(span ptrace.Span, at time.Duration) {
	s.span(span, s.take(), s.next-2, "SELECT orders", ptrace.SpanKindClient, at, at+30*time.Millisecond)
	attrs := span.Attributes()
	attrs.PutStr("db.system.name", "postgresql")
	attrs.PutStr("db.namespace", "shop")
	attrs.PutStr("db.operation.name", "SELECT")
	attrs.PutStr("db.collection.name", "orders")
	attrs.PutStr("db.query.text", "SELECT id, state, total FROM orders WHERE customer = $1 ORDER BY placed_at DESC LIMIT 20")
	attrs.PutStr("server.address", "db.example.com")
	attrs.PutInt("server.port", 5432)
}

func (s *sessionWriter) take() int {
	s.next++
	return s.next - 1
}

// span writes what every span has. from and to count from the session's start.
func (s *sessionWriter) span(span ptrace.Span, number, parent int, name string, kind ptrace.SpanKind, from, to time.Duration) {
	span.SetTraceID(traceMark(s.number))
	span.SetSpanID(spanMark(number))
	if parent >= 0 {
		span.SetParentSpanID(spanMark(parent))
	}
	span.SetName(name)
	span.SetKind(kind)
	// One nanosecond more, for a time of zero would not be encoded.
	span.SetStartTimestamp(pcommon.Timestamp(from + 1))
	span.SetEndTimestamp(pcommon.Timestamp(to + 1))
}

func put(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}
