package spanevent

import (
	"encoding/json"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Coding agents, and the SDK of Anthropic.

// claudeCode is Claude Code and the Claude Agent SDK. Its bare input_tokens do
// not include the cached ones.
var claudeCode = dialect{
	name:   "claude_code",
	scopes: []string{"com.anthropic.claude_code*"},
	ownKeys: []binding{
		{key: "span.type", field: fieldKind},
		{key: "model", field: fieldRequestModel, rank: rankOld},
		{key: "input_tokens", field: fieldTokensUncached, rank: rankForeign},
		{key: "output_tokens", field: fieldTokensOut, rank: rankForeign},
		{key: "cache_read_tokens", field: fieldCacheRead, rank: rankForeign},
		{key: "cache_creation_tokens", field: fieldCacheWrite, rank: rankForeign},
		{key: "cost_usd", field: fieldCost, rank: rankForeign},
		{key: "tool_name", field: fieldToolName, rank: rankForeign},
		{key: "tool_use_id", field: fieldToolID, rank: rankForeign},
		{key: "tool_input", field: fieldToolArguments, rank: rankForeign},
		{key: "tool_output", field: fieldToolResult, rank: rankForeign},
		{key: "new_context", field: fieldInput, rank: rankOld},
		{key: "response.model_output", field: fieldOutput, rank: rankOld},
		{key: "success", expand: outcome},
		{key: "error", expand: failure},
		{key: "error_class", field: fieldErrorType, rank: rankLast},
		{key: "stop_reason", field: fieldFinishReasons, rank: rankForeign},
		{key: "agent.name", field: fieldAgent, rank: rankForeign},
	},
	kinds: map[string]kind{
		"llm_request": kindLLM, "tool": kindTool, "interaction": kindWrapper,
		"tool.execution": kindNone, "tool.blocked_on_user": kindNone, "hook": kindNone,
	},
	names: map[string]kind{
		"claude_code.llm_request": kindLLM, "claude_code.tool": kindTool, "claude_code.interaction": kindWrapper,
		"claude_code.tool.execution": kindNone, "claude_code.tool.blocked_on_user": kindNone, "claude_code.hook": kindNone,
	},
	content: []string{
		"user_prompt", "user_system_prompt", "system_prompt_preview", "system_reminders", "new_context", "response.model_output",
		"tool_input", "tool_output", "full_command", "tool_parameters",
	},
	finish: func(f *facts, _ ptrace.Span, r *Reading) {
		if r.Role == RolePart && f.str(fieldKind) != "tool.execution" {
			// Only the execution's failure is the tool's: not that of a hook.
			r.Event.Error = nil
		}
	},
}

// mcpToolName takes a tool's own name out of mcp__server__tool, as Claude calls
// it.
func mcpToolName(name string) string {
	if rest, ok := strings.CutPrefix(name, "mcp__"); ok {
		if _, tool, ok := strings.Cut(rest, "__"); ok {
			return tool
		}
	}
	return name
}

// anthropicSDK is what Anthropic's client libraries and its platform write:
// the convention, on both sides of a request.
var anthropicSDK = dialect{
	name:   "anthropic_sdk",
	scopes: []string{"com.anthropic.sdk*", "com.anthropic.claude-platform*"},
	keys: []binding{
		{key: "anthropic.response.service_tier", field: fieldServiceTier, rank: rankForeign},
		{key: "anthropic.message.stop_reason", field: fieldFinishReasons, rank: rankForeign},
	},
}

// codex writes spans beside its log events: one for each event of an answer, of
// which the last tells the usage. A turn repeats the usage of its requests.
var codex = dialect{
	name:   "codex",
	scopes: []string{"codex*"},
	keys: []binding{
		{key: "codex.usage.reasoning_output_tokens", field: fieldReasoningTokens, rank: rankForeign},
		{key: "codex.turn.token_usage.input_tokens", field: fieldTokensIn, rank: rankLast, implies: kindWrapper},
		{key: "codex.turn.token_usage.output_tokens", field: fieldTokensOut, rank: rankLast, implies: kindWrapper},
		{key: "codex.turn.token_usage.cached_input_tokens", field: fieldCacheRead, rank: rankLast},
		{key: "codex.turn.token_usage.reasoning_output_tokens", field: fieldReasoningTokens, rank: rankLast},
	},
	ownKeys: []binding{
		{key: "input_token_count", field: fieldTokensIn, rank: rankOld},
		{key: "output_token_count", field: fieldTokensOut, rank: rankOld},
		{key: "cached_token_count", field: fieldCacheRead, rank: rankOld},
		{key: "cache_write_token_count", field: fieldCacheWrite, rank: rankOld},
		{key: "reasoning_token_count", field: fieldReasoningTokens, rank: rankOld},
		{key: "tool_name", field: fieldToolName, rank: rankForeign},
		{key: "call_id", field: fieldToolID, rank: rankForeign},
		{key: "arguments", field: fieldToolArguments, rank: rankForeign},
		{key: "output", field: fieldToolResult, rank: rankForeign},
		{key: "success", expand: outcome},
	},
	names: map[string]kind{
		"session_task.turn": kindWrapper, "run_turn": kindWrapper, "handle_responses": kindLLM, "codex.tool_result": kindTool,
		"dispatch_tool_call_with_code_mode_result": kindTool, "run_sampling_request": kindWrapper, "try_run_sampling_request": kindWrapper,
	},
	content: []string{"prompt", "arguments", "output"},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		if span.Name() == "handle_responses" && !f.has(fieldTokensOut) {
			r.Role, r.Event = RolePart, analysis.Event{}
			return
		}
		modelFrom("model", "slug")(f, span, r)
	},
}

// modelFrom completes an event with the model out of keys too common to make a
// span an event.
func modelFrom(keys ...string) func(*facts, ptrace.Span, *Reading) {
	return func(_ *facts, span ptrace.Span, r *Reading) {
		if r.Role != RoleEvent || r.Event.Type != analysis.EventLLMCall {
			return
		}
		for _, key := range keys {
			r.Event.Model = firstOf(r.Event.Model, text(span.Attributes(), key))
		}
	}
}

// geminiCLI has its own words for operations.
var geminiCLI = dialect{
	name:   "gemini_cli",
	scopes: []string{"gemini-cli*"},
	keys: []binding{
		{key: "gemini_cli.session_id", field: fieldConversation, rank: rankForeign},
	},
	ownKeys: []binding{
		{key: "input_token_count", field: fieldTokensIn, rank: rankOld},
		{key: "output_token_count", field: fieldTokensOut, rank: rankOld},
		{key: "cached_content_token_count", field: fieldCacheRead, rank: rankOld},
		{key: "thoughts_token_count", field: fieldReasoningTokens, rank: rankOld},
		{key: "function_name", field: fieldToolName, rank: rankForeign},
		{key: "function_args", field: fieldToolArguments, rank: rankForeign},
		{key: "success", expand: outcome},
		{key: "error_type", field: fieldErrorType, rank: rankOld},
	},
	names: map[string]kind{
		"llm_call": kindLLM, "tool_call": kindTool, "agent_call": kindWrapper, "user_prompt": kindWrapper,
		"system_prompt": kindNone, "schedule_tool_calls": kindWrapper,
	},
	content: []string{"function_args", "prompt"},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		modelFrom("model", "model_name")(f, span, r)
		if r.Event.ToolCall == nil || r.Event.Error != nil {
			return
		}
		// A tool that failed did what it was to do: it answered.
		var answer struct{ Status string }
		if json.Unmarshal([]byte(f.str(fieldOutput)), &answer) == nil && answer.Status == finishError {
			r.Event.Error = &analysis.Failure{Type: semconv.ErrorTypeOther}
		}
	},
}

// mcp is the Model Context Protocol. Its session is one of transport, not a
// conversation.
var mcp = dialect{
	name: "mcp",
	keys: []binding{
		{key: "mcp.method.name", field: fieldKind, rank: rankLast},
		{key: "mcp.tool.name", field: fieldToolName, rank: rankForeign},
		{key: "mcp.request.argument", field: fieldToolArguments, rank: rankOld},
		{key: "mcp.response.value", field: fieldToolResult, rank: rankOld},
	},
	kinds: map[string]kind{
		"tools/call": kindTool, "initialize": kindNone, "notifications/initialized": kindNone, "ping": kindNone,
		"tools/list": kindNone, "prompts/list": kindNone, "prompts/get": kindNone, "resources/list": kindNone,
		"resources/read": kindNone, "resources/templates/list": kindNone, "completion/complete": kindNone, "logging/setLevel": kindNone,
		"resources/subscribe": kindNone, "resources/unsubscribe": kindNone, "roots/list": kindNone, "server/discover": kindNone,
		"subscriptions/listen": kindNone, "sampling/createMessage": kindNone, "elicitation/create": kindNone,
	},
}
