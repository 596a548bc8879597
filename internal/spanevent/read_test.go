package spanevent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

type attrs = map[string]any

// spanCase is one span as a library writes it, and what it tells.
type spanCase struct {
	scope, name string
	attrs       attrs
	failed      bool // status Error
	exception   bool // an exception event
	events      map[string]attrs

	want told
}

// told is what the tests compare of a reading. -1 = absent.
type told struct {
	role                      string // llm, tool, embeddings, retrieval, wrapper, part, "" = not GenAI
	dialect                   string
	model, provider, id       string
	in, out, read, write, why int64
	session, agent, label     string
	tool, toolID              string
	toolIn, toolOut           string
	input, output             string
	cost                      float64
	failed                    string // the failure's type
	tier                      string
}

func (c *spanCase) span(t testing.TB) ptrace.Span {
	t.Helper()
	span := ptrace.NewSpan()
	span.SetName(c.name)
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{2})
	start := time.Unix(1_795_000_000, 0)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
	require.NoError(t, span.Attributes().FromRaw(c.attrs))
	if c.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	if c.exception {
		event := span.Events().AppendEmpty()
		event.SetName("exception")
		event.Attributes().PutStr("exception.type", "RateLimitError")
	}
	for name, a := range c.events {
		event := span.Events().AppendEmpty()
		event.SetName(name)
		require.NoError(t, event.Attributes().FromRaw(a))
	}
	return span
}

func (c *spanCase) spanScope() pcommon.InstrumentationScope {
	scope := pcommon.NewInstrumentationScope()
	scope.SetName(c.scope)
	return scope
}

func (c *spanCase) read(t testing.TB) told {
	scope := c.spanScope()
	r := ForScope(scope).Read(c.span(t))
	checkWithout(t, ForScope(scope), c.span(t))
	e := &r.Event
	got := told{
		dialect: r.Dialect, model: e.Model, provider: e.Provider, id: e.ResponseID, session: r.SessionID, agent: r.AgentName, label: r.AgentLabel,
		in: e.TokensIn.Or(-1), out: e.TokensOut.Or(-1), read: e.CacheReadTokens.Or(-1), write: e.CacheWriteTokens.Or(-1), why: e.ReasoningTokens.Or(-1),
		input: string(e.Input), output: string(e.Output), cost: e.CostUSD.Or(0), tier: e.ServiceTier,
	}
	switch r.Role {
	case RoleEvent:
		got.role = map[analysis.EventType]string{analysis.EventLLMCall: "llm", analysis.EventToolCall: "tool"}[e.Type]
		if got.role == "" {
			got.role = string(e.Type)
		}
	case RoleWrapper:
		got.role = "wrapper"
	case RolePart:
		got.role = "part"
	}
	if e.ToolCall != nil {
		got.tool, got.toolID, got.toolIn, got.toolOut = e.ToolCall.Name, e.ToolCall.ID, string(e.ToolCall.Input), string(e.ToolCall.Output)
	}
	if e.Error != nil {
		got.failed = e.Error.Type
	}
	return got
}

// noCounts is what a span without tokens tells of them.
func noCounts(w told) told {
	w.in, w.out, w.read, w.write, w.why = -1, -1, -1, -1, -1
	return w
}

func TestReadCalls(t *testing.T) {
	for name, c := range map[string]spanCase{
		"current convention": {
			attrs: attrs{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.id": "r1",
				"gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read.input_tokens": 64,
				"gen_ai.usage.cache_write.input_tokens": 32, "gen_ai.usage.reasoning.output_tokens": 5, "gen_ai.conversation.id": "s",
				"gen_ai.agent.name": "a", "openai.response.service_tier": "flex", "gen_ai.input.messages": `[{"role":"user"}]`,
			},
			want: told{role: "llm", dialect: "gen_ai", model: "gpt-4o", provider: "openai", id: "r1", in: 120, out: 18, read: 64, write: 32, why: 5, session: "s", agent: "a", tier: "flex", input: `{"input":[{"role":"user"}]}`},
		},
		"what the SDK wrote needs no mending": {
			scope: semconv.ScopeName,
			attrs: attrs{"agentlens.event.type": "llm_call", "gen_ai.provider.name": "azure", "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 1, "gen_ai.usage.cache_read.input_tokens": 16, "gen_ai.usage.reasoning.output_tokens": 5},
			want:  told{role: "llm", dialect: "agentlens", provider: "azure", in: 0, out: 1, read: 16, write: -1, why: 5},
		},
		"stamped by a processor": {
			attrs: attrs{"agentlens.event.type": "llm_call", "agentlens.session.id": "s", "gen_ai.system": "azure", "gen_ai.usage.input_tokens": 24, "gen_ai.usage.cache_read.input_tokens": 64},
			want:  told{role: "llm", dialect: "gen_ai", provider: "azure.ai.openai", in: 88, out: -1, read: 64, write: -1, why: -1, session: "s"},
		},
		"old convention": {
			attrs: attrs{
				"gen_ai.system": "az.ai.openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 120, "gen_ai.usage.completion_tokens": 18,
				"gen_ai.usage.cache_creation.input_tokens": 32, "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.content": "ho",
			},
			want: told{role: "llm", dialect: "gen_ai", model: "gpt-4o", provider: "azure.ai.openai", in: 120, out: 18, read: -1, write: 32, why: -1, input: `{"input":[{"content":"hi","role":"user"}]}`, output: `{"output":[{"content":"ho"}]}`},
		},
		"current value wins over every other": {
			attrs: attrs{
				"gen_ai.operation.name": "chat", "llm.token_count.prompt": 7, "gen_ai.usage.prompt_tokens": 8, "gen_ai.usage.input_tokens": 120,
				"ai.usage.inputTokens": 9, "openinference.span.kind": "CHAIN", "gen_ai.request.model": "m", "llm.model_name": "n",
			},
			want: told{role: "llm", dialect: "openinference", model: "m", in: 120, out: -1, read: -1, write: -1, why: -1},
		},
		"message events": {
			attrs:  attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
			events: map[string]attrs{"gen_ai.user.message": {"content": "hi"}, "gen_ai.choice": {"message": `{"content":"ho"}`, "finish_reason": "stop"}},
			want:   noCounts(told{role: "llm", dialect: "gen_ai", model: "m", input: `{"input":[{"content":"hi","role":"user"}]}`, output: `{"output":[{"finish_reason":"stop","message":{"content":"ho"}}]}`}),
		},
		"OpenInference": {
			scope: "openinference.instrumentation.openai", name: "ChatCompletion",
			attrs: attrs{
				"openinference.span.kind": "LLM", "llm.system": "vertexai", "llm.model_name": "gemini", "llm.token_count.prompt": 120, "llm.token_count.completion": 18,
				"llm.token_count.prompt_details.cache_read": 64, "llm.token_count.completion_details.reasoning": 5, "llm.cost.total": 0.25, "session.id": "s",
				"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi", "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c",
			},
			want: told{role: "llm", dialect: "openinference", model: "gemini", provider: "gcp.vertex_ai", in: 120, out: 18, read: 64, write: -1, why: 5, session: "s", cost: 0.25, input: `{"input":[{"message":{"content":"hi","role":"user"}}]}`, output: `{"output":[{"message":{"tool_calls":[{"tool_call":{"id":"c"}}]}}]}`},
		},
		"OpenLLMetry in Go": {
			attrs: attrs{
				"llm.request.type": "chat", "llm.vendor": "OpenAI", "llm.request.model": "gpt-4o", "llm.response.model": "gpt-4o-1", "llm.usage.prompt_tokens": 120,
				"llm.usage.completion_tokens": "18", "llm.prompts.0.content": "hi", "traceloop.association.properties.session_id": "s",
			},
			want: told{role: "llm", dialect: "openllmetry", model: "gpt-4o", provider: "openai", in: 120, out: 18, read: -1, write: -1, why: -1, session: "s", input: `{"input":[{"content":"hi"}]}`},
		},
		"OpenLLMetry, a task that is a call": {
			name: "OpenAI.task", attrs: attrs{"traceloop.span.kind": "task", "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o"},
			want: noCounts(told{role: "llm", dialect: "openllmetry", model: "gpt-4o"}),
		},
		"OpenLLMetry JS for Anthropic leaves out the cache, though the parts would fit": {
			scope: "@traceloop/instrumentation-anthropic",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read_input_tokens": 64},
			want:  told{role: "llm", dialect: "openllmetry", model: "claude", in: 264, out: 18, read: 64, write: -1, why: -1},
		},
		"a part larger than the whole is beside it": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 24, "gen_ai.usage.output_tokens": 3, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.usage.cache_creation.input_tokens": 32, "gen_ai.usage.reasoning_tokens": 5},
			want:  told{role: "llm", dialect: "gen_ai", in: 120, out: 8, read: 64, write: 32, why: 5},
		},
		"Vercel AI SDK 4": {
			scope: "ai", name: "ai.generateText.doGenerate",
			attrs: attrs{
				"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "openai.chat", "ai.model.id": "gpt-4o", "ai.usage.promptTokens": 120, "ai.usage.completionTokens": 18,
				"ai.prompt.messages": `[{"role":"user"}]`, "ai.response.text": "", "ai.response.toolCalls": `[{"toolName":"t"}]`, "ai.telemetry.functionId": "f", "ai.telemetry.metadata.sessionId": "s",
			},
			want: told{role: "llm", dialect: "vercel_ai", model: "gpt-4o", provider: "openai", in: 120, out: 18, read: -1, write: -1, why: -1, session: "s", label: "f", input: `{"input":[{"role":"user"}]}`, output: `{"output":[{"toolName":"t"}]}`},
		},
		"Vercel AI SDK 6": {
			scope: "ai", name: "ai.streamText.doStream",
			attrs: attrs{"ai.operationId": "ai.streamText.doStream", "ai.model.id": "gpt-4o", "ai.usage.inputTokens": 120, "ai.usage.outputTokens": 18, "ai.usage.inputTokenDetails.cacheReadTokens": 64, "ai.usage.inputTokenDetails.cacheWriteTokens": 32, "ai.usage.outputTokenDetails.reasoningTokens": 5, "ai.settings.context.sessionId": "s"},
			want:  told{role: "llm", dialect: "vercel_ai", model: "gpt-4o", in: 120, out: 18, read: 64, write: 32, why: 5, session: "s"},
		},
		"Vercel embeddings": {
			scope: "ai", attrs: attrs{"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "e", "ai.usage.tokens": 7},
			want: told{role: "embeddings", dialect: "vercel_ai", model: "e", in: 7, out: -1, read: -1, write: -1, why: -1},
		},
		"Langfuse, disjoint buckets": {
			scope: "langfuse-sdk",
			attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o", "langfuse.observation.usage_details": `{"input":56,"output":13,"total":138,"input_cached_tokens":64,"output_reasoning_tokens":5}`, "langfuse.observation.cost_details": `{"total":0.5}`},
			want:  told{role: "llm", dialect: "langfuse", model: "gpt-4o", in: 120, out: 18, read: 64, write: -1, why: 5, cost: 0.5},
		},
		"Langfuse, the provider's own usage": {
			scope: "langfuse-sdk",
			attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.usage_details": `{"prompt_tokens":120,"completion_tokens":18,"total_tokens":138,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":5}}`},
			want:  told{role: "llm", dialect: "langfuse", in: 120, out: 18, read: 64, write: -1, why: 5},
		},
		"Langfuse, the total says that the parts are within": {
			scope: "langfuse-sdk",
			attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.usage_details": `{"input":120,"output":18,"total":138,"input_cache_read":64}`},
			want:  told{role: "llm", dialect: "langfuse", in: 120, out: 18, read: 64, write: -1, why: -1},
		},
		"Langfuse with Anthropic's names": {
			scope: "langfuse-sdk",
			attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.usage_details": `{"input":24,"output":18,"cache_read_input_tokens":64,"cache_creation_input_tokens":32}`},
			want:  told{role: "llm", dialect: "langfuse", in: 120, out: 18, read: 64, write: 32, why: -1},
		},
		"a cost of nothing for a call of which nothing is known": {
			attrs: attrs{"langfuse.observation.type": "generation", "langfuse.observation.cost_details": `{"total":0}`, "langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"},
			want:  noCounts(told{role: "llm", dialect: "langfuse", failed: "_OTHER"}),
		},
		"LangSmith": {
			scope: "langsmith", name: "ChatOpenAI",
			attrs: attrs{
				"langsmith.span.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.system": "langchain", "langsmith.metadata.ls_provider": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18,
				"gen_ai.usage.input_token_details": `{"cache_read":64}`, "gen_ai.usage.output_token_details": `{"reasoning":5}`,
				"langsmith.trace.session_name": "a project", "langsmith.trace.session_id": "a project's id", "langsmith.metadata.thread_id": "s", "gen_ai.response.service_tier": "default",
			},
			want: told{role: "llm", dialect: "langsmith", model: "gpt-4o", in: 120, out: 18, read: 64, write: -1, why: 5, session: "s", tier: "default"},
		},
		"Strands puts its own name where the provider belongs": {
			scope: "strands.telemetry.tracer", name: "chat",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents", "gen_ai.request.model": "claude", "gen_ai.usage.prompt_tokens": 120, "gen_ai.usage.input_tokens": 120, "gen_ai.usage.cache_read_input_tokens": 64, "gen_ai.usage.cache_write_input_tokens": 32},
			want:  told{role: "llm", dialect: "strands", model: "claude", in: 120, out: -1, read: 64, write: 32, why: -1},
		},
		"Google ADK, by the span's name": {
			scope: "gcp.vertex.agent", name: "call_llm",
			attrs: attrs{"gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini", "gcp.vertex.agent.session_id": "s", "gcp.vertex.agent.llm_request": "{}"},
			want:  noCounts(told{role: "llm", dialect: "google_adk", model: "gemini", session: "s"}),
		},
		"Google ADK, a failed call": {scope: "gcp.vertex.agent", name: "call_llm", want: noCounts(told{role: "llm", dialect: "google_adk"})},
		"Mastra, a failed call": {
			scope: "@mastra/otel-exporter",
			attrs: attrs{"gen_ai.operation.name": "chat", "mastra.span.type": "model_inference", "gen_ai.provider.name": "openai.chat", "gen_ai.response.finish_reasons": `["error"]`, "mastra.metadata.threadId": "s"},
			want:  noCounts(told{role: "llm", dialect: "mastra", provider: "openai", session: "s", failed: "_OTHER"}),
		},
		"Genkit, thoughts beside the output": {
			scope: "genkit-tracer", name: "googleai/gemini-2.5-flash",
			attrs: attrs{"genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash", "genkit:sessionId": "s", "genkit:output": `{"usage":{"inputTokens":120,"outputTokens":13,"thoughtsTokens":5,"totalTokens":138,"cachedContentTokens":64}}`},
			want:  told{role: "llm", dialect: "genkit", model: "gemini-2.5-flash", provider: "gcp.gen_ai", in: 120, out: 18, read: 64, write: -1, why: 5, session: "s", output: `{"usage":{"inputTokens":120,"outputTokens":13,"thoughtsTokens":5,"totalTokens":138,"cachedContentTokens":64}}`},
		},
		"Pydantic AI": {
			scope: "pydantic-ai", name: "chat gpt-4o",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.details.cache_read_tokens": 64, "gen_ai.usage.details.reasoning_tokens": 5, "operation.cost": 0.5, "gen_ai.agent.name": "a"},
			want:  told{role: "llm", dialect: "pydantic_ai", model: "gpt-4o", provider: "openai", in: 120, out: 18, read: 64, write: -1, why: 5, cost: 0.5, agent: "a"},
		},
		"VoltAgent's run of an agent": {
			scope: "@voltagent/core", name: "support",
			attrs: attrs{"entity.type": "agent", "entity.name": "support", "agent.state": "completed", "ai.model.name": "openai/gpt-4o-mini", "ai.model.provider": "openai", "usage.prompt_tokens": 120, "usage.completion_tokens": 18, "usage.total_tokens": 138, "usage.cached_tokens": 64, "usage.reasoning_tokens": 5, "conversation.id": "s", "agent.messages": "hi", "output": "ho"},
			want:  told{role: "llm", dialect: "voltagent", model: "openai/gpt-4o-mini", provider: "openai", in: 120, out: 18, read: 64, write: -1, why: 5, session: "s", agent: "support", input: `{"input":"hi"}`, output: `{"output":"ho"}`},
		},
		"Laminar": {
			scope: "lmnr.tracer", name: "openai.chat",
			attrs: attrs{"lmnr.span.type": "LLM", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cost": 0.05, "lmnr.association.properties.session_id": "s", "lmnr.span.output": `{"a":1}`},
			want:  told{role: "llm", dialect: "laminar", model: "gpt-4o", provider: "openai", in: 120, out: 18, read: -1, write: -1, why: -1, cost: 0.05, session: "s", output: `{"a":1}`},
		},
		"OpenLIT": {
			scope: "openlit.otel.tracing",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120.0, "gen_ai.usage.output_tokens": 18.0, "gen_ai.usage.prompt_tokens_details.cached_tokens": 64, "gen_ai.usage.completion_tokens_details.reasoning_tokens": 5, "gen_ai.usage.cost": 0.5},
			want:  told{role: "llm", dialect: "openlit", model: "gpt-4o", in: 120, out: 18, read: 64, write: -1, why: 5, cost: 0.5},
		},
		"Claude Code leaves out the cache": {
			scope: "com.anthropic.claude_code.tracing", name: "claude_code.llm_request",
			attrs: attrs{"span.type": "llm_request", "gen_ai.request.model": "claude", "input_tokens": 24, "output_tokens": 18, "cache_read_tokens": 64, "cache_creation_tokens": 32, "success": false, "session.id": "s", "error": "overloaded"},
			want:  told{role: "llm", dialect: "claude_code", model: "claude", in: 120, out: 18, read: 64, write: 32, why: -1, session: "s", failed: "_OTHER"},
		},
		"Anthropic's SDK": {
			scope: "com.anthropic.sdk.python",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.cache_write.input_tokens": 32, "anthropic.response.service_tier": "priority", "anthropic.message.stop_reason": "end_turn"},
			want:  told{role: "llm", dialect: "anthropic_sdk", provider: "anthropic", in: 120, out: -1, read: -1, write: 32, why: -1, tier: "priority"},
		},
		"Codex": {
			scope: "codex_exec", name: "handle_responses",
			attrs: attrs{"model": "gpt-5-codex", "gen_ai.usage.input_tokens": "120", "gen_ai.usage.output_tokens": "18", "gen_ai.usage.cache_read.input_tokens": "64", "codex.usage.reasoning_output_tokens": "5", "conversation.id": "s"},
			want:  told{role: "llm", dialect: "codex", model: "gpt-5-codex", in: 120, out: 18, read: 64, write: -1, why: 5, session: "s"},
		},
		"Gemini CLI": {
			scope: "gemini-cli", name: "llm_call",
			attrs: attrs{"gen_ai.operation.name": "llm_call", "model_name": "gemini", "input_token_count": 120, "output_token_count": 18, "session.id": "s", "gen_ai.agent.name": "gemini-cli"},
			want:  told{role: "llm", dialect: "gemini_cli", model: "gemini", in: 120, out: 18, read: -1, write: -1, why: -1, session: "s", agent: "gemini-cli"},
		},
		"Agent Framework": {
			scope: "agent_framework",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.system": "microsoft.agent_framework", "gen_ai.request.model": "gpt-4o", "gen_ai.response.finish_reason": "stop", "gen_ai.conversation.id": "s"},
			want:  noCounts(told{role: "llm", dialect: "agent_framework", model: "gpt-4o", session: "s"}),
		},
		"LiteLLM": {
			scope: "litellm", name: "litellm_request",
			attrs: attrs{"llm.is_streaming": "False", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.cost.total_cost": 0.5},
			want:  told{role: "llm", dialect: "litellm", model: "gpt-4o", in: 120, out: -1, read: -1, write: -1, why: -1, cost: 0.5},
		},
		"AgentOps": {
			scope: "agentops", attrs: attrs{"agentops.span.kind": "llm", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 120, "gen_ai.usage.total_cost": "0.5"},
			want: told{role: "llm", dialect: "agentops", model: "gpt-4o", in: 120, out: -1, read: -1, write: -1, why: -1, cost: 0.5},
		},
		"MLflow": {
			attrs: attrs{"mlflow.spanType": `"CHAT_MODEL"`, "mlflow.chat.tokenUsage": `{"input_tokens":120,"output_tokens":18,"total_tokens":138}`},
			want:  told{role: "llm", dialect: "mlflow", in: 120, out: 18, read: -1, write: -1, why: -1},
		},
		"Sentry": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.input_tokens.cached": 64, "gen_ai.usage.output_tokens.reasoning": 5},
			want:  told{role: "llm", dialect: "sentry", in: 120, out: -1, read: 64, write: -1, why: 5},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.read(t)) })
	}
}

func TestReadTools(t *testing.T) {
	for name, c := range map[string]spanCase{
		"current convention": {
			attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.id": "c", "gen_ai.tool.call.arguments": `{"q":1}`, "gen_ai.tool.call.result": "r"},
			want:  told{role: "tool", dialect: "gen_ai", tool: "t", toolID: "c", toolIn: `{"q":1}`, toolOut: `{"output":"r"}`},
		},
		"named by its span": {name: "execute_tool t", attrs: attrs{"gen_ai.operation.name": "execute_tool"}, want: told{role: "tool", dialect: "gen_ai", tool: "t"}},
		"OpenInference": {
			name: "t", attrs: attrs{"openinference.span.kind": "TOOL", "input.value": `{"q":1}`, "output.value": "r"}, failed: true,
			want: told{role: "tool", dialect: "openinference", tool: "t", toolIn: `{"q":1}`, toolOut: `{"output":"r"}`, failed: "_OTHER"},
		},
		"OpenLLMetry": {
			name: "t.tool", attrs: attrs{"traceloop.span.kind": "tool", "traceloop.entity.name": "t", "traceloop.entity.input": `{"q":1}`, "gen_ai.agent.name": "a"},
			want: told{role: "tool", dialect: "openllmetry", tool: "t", toolIn: `{"q":1}`, agent: "a"},
		},
		"OpenLLMetry, a tool within a task": {
			attrs: attrs{"gen_ai.operation.name": "execute_tool", "traceloop.span.kind": "task", "traceloop.entity.name": "t"},
			want:  told{role: "tool", dialect: "openllmetry", tool: "t"},
		},
		"Vercel AI SDK": {
			scope: "ai", name: "ai.toolCall", attrs: attrs{"ai.operationId": "ai.toolCall", "ai.toolCall.name": "t", "ai.toolCall.id": "c", "ai.toolCall.args": `{"q":1}`}, failed: true, exception: true,
			want: told{role: "tool", dialect: "vercel_ai", tool: "t", toolID: "c", toolIn: `{"q":1}`, failed: "RateLimitError"},
		},
		"Langfuse": {
			scope: "langfuse-sdk", name: "t", attrs: attrs{"langfuse.observation.type": "tool", "langfuse.observation.input": `{"q":1}`, "langfuse.observation.level": "ERROR"},
			want: told{role: "tool", dialect: "langfuse", tool: "t", toolIn: `{"q":1}`, failed: "_OTHER"},
		},
		"LangSmith": {
			scope: "langsmith", name: "t", attrs: attrs{"langsmith.span.kind": "tool", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.prompt": `{"q":1}`, "gen_ai.completion": "r"}, exception: true,
			want: told{role: "tool", dialect: "langsmith", tool: "t", toolIn: `{"q":1}`, toolOut: `{"output":"r"}`, failed: "RateLimitError"},
		},
		"Strands": {
			scope: "strands.telemetry.tracer", attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.status": "error"},
			want: told{role: "tool", dialect: "strands", tool: "t", failed: "_OTHER"},
		},
		"Google ADK": {
			scope: "gcp.vertex.agent", attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gcp.vertex.agent.tool_call_args": `{"q":1}`, "gcp.vertex.agent.tool_response": `{"r":1}`, "gcp.vertex.agent.llm_request": "{}"},
			want: told{role: "tool", dialect: "google_adk", tool: "t", toolIn: `{"q":1}`, toolOut: `{"r":1}`},
		},
		"Genkit": {
			scope: "genkit-tracer", name: "t", attrs: attrs{"genkit:type": "action", "genkit:metadata:subtype": "tool.v2", "genkit:name": "t", "genkit:input": `{"q":1}`, "genkit:state": "error", "genkit:metadata:flow:name": "f"},
			want: told{role: "tool", dialect: "genkit", tool: "t", toolIn: `{"q":1}`, failed: "_OTHER", label: "f"},
		},
		"Pydantic AI 2": {
			scope: "pydantic-ai", name: "running tool", attrs: attrs{"gen_ai.tool.name": "t", "gen_ai.tool.call.id": "c", "tool_arguments": `{"q":1}`, "tool_response": "r"},
			want: told{role: "tool", dialect: "pydantic_ai", tool: "t", toolID: "c", toolIn: `{"q":1}`, toolOut: `{"output":"r"}`},
		},
		"VoltAgent": {
			name: "tool.execution:t", attrs: attrs{"span.type": "tool", "entity.type": "agent", "tool.name": "t", "tool.call.id": "c", "input": `{"q":1}`, "output": "r"},
			want: told{role: "tool", dialect: "voltagent", tool: "t", toolID: "c", toolIn: `{"q":1}`, toolOut: `{"output":"r"}`},
		},
		"Laminar": {
			scope: "lmnr.tracer", name: "t", attrs: attrs{"lmnr.span.type": "TOOL", "lmnr.span.input": `{"q":1}`},
			want: told{role: "tool", dialect: "laminar", tool: "t", toolIn: `{"q":1}`},
		},
		"Claude Code": {
			scope: "com.anthropic.claude_code.tracing", name: "claude_code.tool", attrs: attrs{"span.type": "tool", "tool_name": "mcp__support__t", "tool_use_id": "c"},
			want: told{role: "tool", dialect: "claude_code", tool: "t", toolID: "c"},
		},
		"Gemini CLI": {
			scope: "gemini-cli", attrs: attrs{"gen_ai.operation.name": "tool_call", "gen_ai.tool.name": "t", "gen_ai.tool.call_id": "c", "error.type": "timeout"},
			want: told{role: "tool", dialect: "gemini_cli", tool: "t", toolID: "c", failed: "timeout"},
		},
		"MCP": {
			name: "tools/call t", attrs: attrs{"mcp.method.name": "tools/call", "gen_ai.tool.name": "t", "mcp.session.id": "of the transport", "error.type": "tool_error"},
			want: told{role: "tool", dialect: "mcp", tool: "t", failed: "tool_error"},
		},
		"AgentOps":   {scope: "agentops", name: "t.tool", attrs: attrs{"agentops.span.kind": "tool"}, want: told{role: "tool", dialect: "agentops", tool: "t"}},
		"Mastra MCP": {scope: "@mastra/otel", attrs: attrs{"mastra.span.type": "mcp_tool_call", "gen_ai.tool.name": "t"}, want: told{role: "tool", dialect: "mastra", tool: "t"}},
		"Spring AI":  {scope: "org.springframework.boot", attrs: attrs{"gen_ai.operation.name": "framework", "spring.ai.kind": "tool_call", "spring.ai.tool.definition.name": "t"}, want: told{role: "tool", dialect: "spring_ai", tool: "t"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, noCounts(c.want), c.read(t)) })
	}
}

// What wraps calls, repeats them or is nothing of the kind.
func TestReadTheRest(t *testing.T) {
	for name, c := range map[string]spanCase{
		"invoke_agent":            {attrs: attrs{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", "gen_ai.request.model": "m"}, want: told{role: "wrapper", dialect: "gen_ai", agent: "a", model: "m"}},
		"an operation of nobody":  {attrs: attrs{"gen_ai.operation.name": "agent_step", "gen_ai.request.model": "m"}, want: told{role: "wrapper", dialect: "gen_ai", model: "m"}},
		"a response fetched":      {attrs: attrs{"gen_ai.operation.name": "fetch_response", "gen_ai.response.id": "r"}, want: told{role: "part", dialect: "gen_ai"}},
		"OpenInference agent":     {name: "support", attrs: attrs{"openinference.span.kind": "AGENT"}, want: told{role: "wrapper", dialect: "openinference", label: "support"}},
		"OpenInference named":     {name: "run", attrs: attrs{"openinference.span.kind": "AGENT", "agent.name": "a"}, want: told{role: "wrapper", dialect: "openinference", agent: "a"}},
		"OpenInference chain":     {attrs: attrs{"openinference.span.kind": "CHAIN", "llm.model_name": "m"}, want: told{role: "wrapper", dialect: "openinference", model: "m"}},
		"OpenLLMetry agent":       {attrs: attrs{"traceloop.span.kind": "agent", "traceloop.entity.name": "a"}, want: told{role: "wrapper", dialect: "openllmetry", agent: "a"}},
		"Vercel root":             {scope: "ai", attrs: attrs{"ai.operationId": "ai.streamText", "ai.model.id": "m"}, want: told{role: "wrapper", dialect: "vercel_ai", model: "m"}},
		"Langfuse event":          {attrs: attrs{"langfuse.observation.type": "event"}, want: told{role: "part", dialect: "langfuse"}},
		"LangSmith project":       {scope: "langsmith", attrs: attrs{"langsmith.span.kind": "chain", "langsmith.trace.session_id": "p"}, want: told{role: "wrapper", dialect: "langsmith"}},
		"Strands cycle":           {attrs: attrs{"event_loop.cycle_id": "1"}, want: told{role: "wrapper", dialect: "strands"}},
		"ADK invocation":          {scope: "gcp.vertex.agent", name: "invocation", want: told{role: "wrapper", dialect: "google_adk"}},
		"ADK merged tools":        {scope: "gcp.vertex.agent", name: "execute_tool (merged tools)", attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"}, want: told{role: "part", dialect: "google_adk"}},
		"Mastra chunk":            {attrs: attrs{"mastra.span.type": "model_chunk"}, want: told{role: "part", dialect: "mastra"}},
		"Genkit flow":             {name: "support", attrs: attrs{"genkit:type": "action", "genkit:metadata:subtype": "flow"}, want: told{role: "wrapper", dialect: "genkit"}},
		"Logfire pending":         {attrs: attrs{"logfire.span_type": "pending_span", "gen_ai.operation.name": "chat"}, want: told{role: "part", dialect: "logfire"}},
		"Logfire end of a stream": {attrs: attrs{"logfire.span_type": "log", "gen_ai.request.model": "m"}, want: told{role: "part", dialect: "logfire"}},
		"VoltAgent's last call":   {scope: "@voltagent/core", name: "llm:generateText", failed: true, attrs: attrs{"span.type": "llm", "entity.type": "agent", "entity.name": "support", "llm.model": "m", "llm.usage.prompt_tokens": 120, "conversation.id": "s"}, want: told{role: "part", dialect: "voltagent", agent: "support", session: "s"}},
		"an agent of another":     {name: "dispatch", attrs: attrs{"agent.state": "completed"}},
		"Codex turn":              {scope: "codex_exec", name: "session_task.turn", attrs: attrs{"model": "m"}, want: told{role: "wrapper", dialect: "codex"}},
		"Claude Code permission":  {scope: "com.anthropic.claude_code.tracing", name: "x", attrs: attrs{"span.type": "tool.blocked_on_user"}, want: told{role: "part", dialect: "claude_code"}},
		"Claude Code's hook":      {scope: "com.anthropic.claude_code.tracing", name: "claude_code.hook", attrs: attrs{"span.type": "hook", "success": false}, want: told{role: "part", dialect: "claude_code"}},
		"Claude Code's tool":      {scope: "com.anthropic.claude_code.tracing", name: "claude_code.tool.execution", attrs: attrs{"span.type": "tool.execution", "success": false}, want: told{role: "part", dialect: "claude_code", failed: "_OTHER"}},
		"MCP without a name":      {name: "tools/call.mcp", attrs: attrs{"mcp.method.name": "tools/call"}, want: told{role: "tool", dialect: "mcp"}},
		"MCP listing":             {attrs: attrs{"mcp.method.name": "tools/list"}, want: told{role: "part", dialect: "mcp"}},
		"LiteLLM's raw request":   {scope: "litellm", name: "raw_gen_ai_request", attrs: attrs{"llm.openai.model": "m"}, want: told{role: "part", dialect: "litellm"}},
		"Agent Framework":         {scope: "agent_framework", name: "executor.process", attrs: attrs{"executor.id": "e"}, want: told{role: "wrapper", dialect: "agent_framework"}},

		"HTTP with baggage":        {attrs: attrs{"http.request.method": "GET", "session.id": "s", "gen_ai.agent.name": "a", "gen_ai.conversation.id": "s"}},
		"a browser's session":      {attrs: attrs{"session.id": "s", "url.path": "/"}},
		"Datadog's span.type":      {attrs: attrs{"span.type": "web", "resource.name": "GET /"}},
		"bare words elsewhere":     {scope: "my-app", attrs: attrs{"model": "T", "input_tokens": 1, "tool_name": "hammer", "success": false}},
		"a span within ADK's":      {scope: "gcp.vertex.agent", name: "something else"},
		"a database with messages": {attrs: attrs{"db.system.name": "postgresql", "input": "x", "output": "y", "conversation.id": "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			if want.role != "" && want.role != "part" {
				want = noCounts(want)
			} else {
				want.in, want.out, want.read, want.write, want.why = -1, -1, -1, -1, -1
			}
			assert.Equal(t, want, c.read(t))
		})
	}
}

// Failures that only an event or a finish reason tells.
func TestReadFailures(t *testing.T) {
	chat := attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
	answered := attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": "r"}
	for name, c := range map[string]spanCase{
		"status":                           {attrs: chat, failed: true, want: told{failed: "_OTHER"}},
		"error.type":                       {attrs: attrs{"gen_ai.operation.name": "chat", "error.type": "429"}, want: told{failed: "429"}},
		"no error":                         {attrs: chat},
		"an empty error.type":              {attrs: attrs{"gen_ai.operation.name": "chat", "error.type": ""}},
		"an exception without an answer":   {attrs: chat, exception: true, want: told{failed: "RateLimitError"}},
		"an exception handled":             {attrs: answered, exception: true},
		"a finish reason in a list":        {attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": []any{"stop", "error"}}, want: told{failed: "_OTHER"}},
		"a finish reason that has error":   {attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": []any{"error_free"}}},
		"a wrapper has an exception of it": {attrs: attrs{"gen_ai.operation.name": "invoke_agent"}, exception: true},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want.failed, c.read(t).failed) })
	}
}
