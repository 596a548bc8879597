package spanevent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Spans as libraries write them whose figures need more than their names.
func TestReadFigures(t *testing.T) {
	for name, c := range map[string]spanCase{
		"Vercel AI SDK 5 with Anthropic: only the provider's own usage tells of the cache": {
			scope: "ai",
			attrs: attrs{
				"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages", "ai.usage.promptTokens": 200, "ai.usage.completionTokens": 18, "gen_ai.usage.input_tokens": 200,
				"ai.response.providerMetadata": `{"anthropic":{"usage":{"input_tokens":200,"output_tokens":18,"cache_creation_input_tokens":32,"cache_read_input_tokens":64}}}`,
			},
			want: told{role: "llm", dialect: "vercel_ai", provider: "anthropic", in: 296, out: 18, read: 64, write: 32, why: -1},
		},
		"Vercel AI SDK 6 with Anthropic: the input includes the cache": {
			scope: "ai",
			attrs: attrs{
				"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages", "ai.usage.inputTokens": 296, "ai.usage.outputTokens": 18, "ai.usage.totalTokens": 314,
				"ai.usage.inputTokenDetails.noCacheTokens": 200, "ai.usage.inputTokenDetails.cacheReadTokens": 64, "ai.usage.inputTokenDetails.cacheWriteTokens": 32,
				"ai.response.providerMetadata": `{"anthropic":{"usage":{"input_tokens":200,"cache_read_input_tokens":64,"cache_creation_input_tokens":32}}}`,
			},
			want: told{role: "llm", dialect: "vercel_ai", provider: "anthropic", in: 296, out: 18, read: 64, write: 32, why: -1},
		},
		"Vercel AI SDK 4 with Bedrock": {
			scope: "ai",
			attrs: attrs{
				"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "amazon-bedrock", "ai.usage.promptTokens": 200, "ai.usage.completionTokens": 18,
				"ai.response.providerMetadata": `{"bedrock":{"usage":{"cacheReadInputTokens":64,"cacheWriteInputTokens":32}}}`,
			},
			want: told{role: "llm", dialect: "vercel_ai", provider: "aws.bedrock", in: 296, out: 18, read: 64, write: 32, why: -1},
		},
		"Vercel AI SDK 4 with OpenAI": {
			scope: "ai",
			attrs: attrs{
				"ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 120, "ai.usage.completionTokens": 18,
				"ai.response.providerMetadata": `{"openai":{"reasoningTokens":5,"cachedPromptTokens":64}}`,
			},
			want: told{role: "llm", dialect: "vercel_ai", in: 120, out: 18, read: 64, write: -1, why: 5},
		},
		"metadata that is no object": {
			scope: "ai", attrs: attrs{"ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 120, "ai.response.providerMetadata": `[{"anthropic":1}]`},
			want: told{role: "llm", dialect: "vercel_ai", in: 120, out: -1, read: -1, write: -1, why: -1},
		},
		"Strands hands on what Anthropic counts": {
			scope: "strands-agents",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents", "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.total_tokens": 218, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.usage.cache_write_input_tokens": 32},
			want:  told{role: "llm", dialect: "strands", model: "claude-sonnet-4-5", in: 296, out: 18, read: 64, write: 32, why: -1},
		},
		"Strands hands on what Bedrock counts": {
			scope: "strands.telemetry.tracer",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "us.amazon.nova-pro-v1:0", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read_input_tokens": 64},
			want:  told{role: "llm", dialect: "strands", model: "us.amazon.nova-pro-v1:0", in: 264, out: 18, read: 64, write: -1, why: -1},
		},
		"Strands hands on what OpenAI counts": {
			scope: "strands-agents",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read.input_tokens": 64},
			want:  told{role: "llm", dialect: "strands", model: "gpt-4.1", in: 200, out: 18, read: 64, write: -1, why: -1},
		},
		"a total that counts the cache beside the input": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.usage.total_tokens": 282},
			want:  told{role: "llm", dialect: "gen_ai", in: 264, out: 18, read: 64, write: -1, why: -1},
		},
		"a total that counts reasoning beside the output": {
			attrs: attrs{"openinference.span.kind": "LLM", "llm.token_count.prompt": 120, "llm.token_count.completion": 30, "llm.token_count.completion_details.reasoning": 5, "llm.token_count.total": 155},
			want:  told{role: "llm", dialect: "openinference", in: 120, out: 35, read: -1, write: -1, why: 5},
		},
		"a total that counts both": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 30, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.usage.reasoning_tokens": 5, "gen_ai.usage.total_tokens": 299},
			want:  told{role: "llm", dialect: "gen_ai", in: 264, out: 35, read: 64, write: -1, why: 5},
		},
		"a total of input and output changes nothing": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 30, "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.usage.reasoning_tokens": 5, "gen_ai.usage.total_tokens": 230},
			want:  told{role: "llm", dialect: "gen_ai", in: 200, out: 30, read: 64, write: -1, why: 5},
		},
		"a total that nothing explains": {
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 30, "gen_ai.usage.total_tokens": 500},
			want:  told{role: "llm", dialect: "gen_ai", in: 200, out: 30, read: -1, write: -1, why: -1},
		},
		"Bedrock's total tells of a cache that nothing else does": {
			attrs: attrs{"openinference.span.kind": "LLM", "llm.provider": "aws", "llm.token_count.prompt": 24, "llm.token_count.completion": 18, "llm.token_count.total": 138},
			want:  told{role: "llm", dialect: "openinference", provider: "aws.bedrock", in: 120, out: 18, read: -1, write: -1, why: -1},
		},
		"Google ADK in Python: thoughts beside the answer": {
			scope: "gcp.vertex.agent", name: "call_llm",
			attrs: attrs{"gen_ai.request.model": "gemini", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 13, "gen_ai.usage.experimental.reasoning_tokens": 5},
			want:  told{role: "llm", dialect: "google_adk", model: "gemini", in: 120, out: 18, read: -1, write: -1, why: 5},
		},
		"Google ADK in Python: more thoughts than answer": {
			scope: "gcp.vertex.agent", name: "call_llm",
			attrs: attrs{"gen_ai.request.model": "gemini", "gen_ai.usage.output_tokens": 3, "gen_ai.usage.experimental.reasoning_tokens": 5},
			want:  told{role: "llm", dialect: "google_adk", model: "gemini", in: -1, out: 8, read: -1, write: -1, why: 5},
		},
		"Google ADK: thoughts within the output": {
			scope: "gcp.vertex.agent", name: "call_llm",
			attrs: attrs{"gen_ai.request.model": "gemini", "gen_ai.usage.output_tokens": 18, "gen_ai.usage.reasoning.output_tokens": 5},
			want:  told{role: "llm", dialect: "google_adk", model: "gemini", in: -1, out: 18, read: -1, write: -1, why: 5},
		},
		"OpenLIT: a tool that was asked for, and no price": {
			scope: "@openlit/instrumentation-openai",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.cost": 0.0, "gen_ai.tool.name": "web_search", "gen_ai.tool.call.id": "call_1", "gen_ai.tool.args": "{}"},
			want:  told{role: "llm", dialect: "openlit", model: "gpt-4o", in: 120, out: 18, read: -1, write: -1, why: -1},
		},
		"Logfire: the provider's usage beside the counts": {
			scope: "logfire.anthropic", name: "Message with {request_data[model]!r}",
			attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude", "gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 18, "gen_ai.usage.raw": `{"input_tokens":200,"output_tokens":18,"cache_read_input_tokens":64,"cache_creation_input_tokens":32}`, "operation.cost": 0.25},
			want:  told{role: "llm", dialect: "logfire", model: "claude", in: 296, out: 18, read: 64, write: 32, why: -1, cost: 0.25},
		},
		"Logfire before it knew the convention": {
			scope: "logfire.openai", name: "Chat Completion with {request_data[model]!r}",
			attrs: attrs{"request_data": `{"model":"gpt-4"}`, "response_data": `{"message":{},"usage":{"prompt_tokens":120,"completion_tokens":18,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":5}}}`},
			want: told{
				role: "llm", dialect: "logfire", model: "gpt-4", in: 120, out: 18, read: 64, write: -1, why: 5, input: `{"model":"gpt-4"}`,
				output: `{"message":{},"usage":{"prompt_tokens":120,"completion_tokens":18,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":5}}}`,
			},
		},
		"Langfuse's Python SDK called generations spans": {
			scope: "langfuse-sdk",
			attrs: attrs{"langfuse.observation.type": "span", "langfuse.observation.model.name": "gpt-4o", "langfuse.observation.usage_details": `{"input":120,"output":18}`},
			want:  told{role: "llm", dialect: "langfuse", model: "gpt-4o", in: 120, out: 18, read: -1, write: -1, why: -1},
		},
		"Codex: the event that ends the answer": {
			scope: "codex_exec", name: "handle_responses",
			attrs: attrs{"gen_ai.usage.input_tokens": 210, "gen_ai.usage.cache_read.input_tokens": 128, "gen_ai.usage.output_tokens": 42, "codex.usage.reasoning_output_tokens": 7},
			want:  told{role: "llm", dialect: "codex", in: 210, out: 42, read: 128, write: -1, why: 7},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.read(t)) })
	}
}

// What a span is, where only its name, its scope or a word of its own tells.
func TestReadRoles(t *testing.T) {
	for name, c := range map[string]spanCase{
		"Codex: an event of an answer": {
			scope: "codex_exec", name: "handle_responses", attrs: attrs{"from": "output_item_added", "tool_name": "exec_command"},
			want: told{role: "part", dialect: "codex"},
		},
		"Google ADK: a tool that failed has only a name": {
			scope: "gcp.vertex.agent", name: "execute_tool web_search", want: told{role: "tool", dialect: "google_adk", tool: "web_search"},
		},
		"Laminar: a function": {scope: "lmnr.tracer", name: "support", attrs: attrs{"lmnr.association.properties.session_id": "s"}, want: told{role: "wrapper", dialect: "laminar", session: "s"}},
		"Laminar: a tool that threw": {
			scope: "lmnr.tracer", name: "web_search", exception: true, attrs: attrs{"lmnr.span.type": "TOOL", "lmnr.span.input": "{}"},
			want: told{role: "tool", dialect: "laminar", tool: "web_search", toolIn: "{}", failed: "RateLimitError"},
		},
		"a tool that answered in spite of an exception": {
			name: "execute_tool t", exception: true, attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": "{}"},
			want: told{role: "tool", dialect: "gen_ai", tool: "t", toolOut: "{}"},
		},
		"Gemini CLI: a tool says in its answer that it failed": {
			scope: "gemini-cli", name: "tool_call", attrs: attrs{"gen_ai.operation.name": "tool_call", "gen_ai.tool.name": "read_file", "gen_ai.output.messages": `{"status":"error"}`},
			want: told{role: "tool", dialect: "gemini_cli", tool: "read_file", toolOut: `{"status":"error"}`, failed: "_OTHER"},
		},
		"a tool of an MCP server": {
			attrs: attrs{"openinference.span.kind": "TOOL", "tool.name": "mcp__support__web_search"},
			want:  told{role: "tool", dialect: "openinference", tool: "web_search"},
		},
		"Logfire's tool of an agent": {
			scope: "logfire.openai_agents", name: "Function: {name}", attrs: attrs{"name": "random_number", "input": "{}", "output": "4", "gen_ai.system": "openai"},
			want: told{role: "tool", dialect: "logfire", provider: "openai", tool: "random_number", toolIn: "{}", toolOut: `{"output":"4"}`},
		},
		"Pydantic AI's run of an agent without an operation": {
			scope: "pydantic-ai", name: "invoke_agent support", attrs: attrs{"model_name": "gpt-4o", "gen_ai.agent.name": "support"},
			want: told{role: "wrapper", dialect: "pydantic_ai", model: "gpt-4o", agent: "support"},
		},
		"LiveKit's tool": {
			scope: "livekit-agents", name: "function_tool",
			attrs: attrs{"lk.function_tool.id": "c", "lk.function_tool.name": "search", "lk.function_tool.arguments": "{}", "lk.function_tool.output": "no", "lk.function_tool.is_error": true},
			want:  told{role: "tool", dialect: "livekit", tool: "search", toolID: "c", toolIn: "{}", toolOut: `{"output":"no"}`, failed: "_OTHER"},
		},
		"LiveKit's speech":            {scope: "livekit-agents", name: "tts_request", attrs: attrs{"gen_ai.request.model": "sonic"}, want: told{role: "part", dialect: "livekit"}},
		"LiveKit's turn":              {scope: "livekit-agents", name: "agent_turn", attrs: attrs{"lk.agent_name": "support"}, want: told{role: "wrapper", dialect: "livekit", agent: "support"}},
		"LiveKit's call":              {scope: "livekit-agents", name: "llm_request", attrs: attrs{"gen_ai.request.model": "m", "lk.chat_ctx": "hi"}, want: told{role: "llm", dialect: "livekit", model: "m", input: `{"input":"hi"}`}},
		"Logfire's agent":             {scope: "logfire.openai_agents", name: "Agent run: {name!r}", attrs: attrs{"name": "agent1", "gen_ai.system": "openai"}, want: told{role: "wrapper", dialect: "logfire", provider: "openai", agent: "agent1"}},
		"Logfire's trace of an agent": {scope: "logfire.openai_agents", name: "OpenAI Agents trace: {name}", attrs: attrs{"name": "Agent workflow", "group_id": `"chat-1"`}, want: told{role: "wrapper", dialect: "logfire", session: "chat-1"}},
		"a group that is none":        {scope: "logfire.openai_agents", name: "OpenAI Agents trace: {name}", attrs: attrs{"name": "Agent workflow", "group_id": "null"}, want: told{role: "wrapper", dialect: "logfire"}},
		"a handoff is nothing":        {scope: "logfire.openai_agents", name: "Handoff: {from_agent} → {to_agent}", attrs: attrs{"from_agent": "a", "gen_ai.system": "openai"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := noCounts(c.want)
			assert.Equal(t, want, c.read(t))
		})
	}
}

// A cost of 0 is one where tokens are told; of a call that nothing is known of it
// is none.
func TestReadCostOfNothing(t *testing.T) {
	unknown := attrs{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.cost": 0.0}
	require.Equal(t, analysis.Opt[float64]{}, Scope{}.Read((&spanCase{attrs: unknown}).span(t)).Event.CostUSD)
	unknown["gen_ai.usage.input_tokens"] = 120
	require.Equal(t, analysis.Some(0.0), Scope{}.Read((&spanCase{attrs: unknown}).span(t)).Event.CostUSD)
}
