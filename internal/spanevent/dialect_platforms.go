package spanevent

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Observability platforms and gateways with SDKs of their own.

// voltAgent says by span.type what a span is; entity.type, on every span, says
// what it is part of. Its llm span stands for all the calls of an agent's run,
// with the usage of the last of them, and some runs have none: only the agent
// counts all. So the run of the agent is the call.
var voltAgent = dialect{
	name:   "voltagent",
	scopes: []string{"voltagent*", "@voltagent/*"},
	keys: []binding{
		{key: "span.type", expand: oneOf(map[string]kind{
			"llm": kindNone, "tool": kindTool, "embedding": kindEmbeddings, "retriever": kindRetrieval,
			"agent": kindWrapper, "memory": kindNone, "guardrail": kindWrapper, "middleware": kindWrapper,
			"workflow-step": kindWrapper, "summary": kindWrapper, "vector": kindWrapper,
		})},
		{key: "llm.operation"},
		{key: "ai.model.name", field: fieldRequestModel, rank: rankLast},
		{key: "usage.prompt_tokens", field: fieldTokensIn, rank: rankLast},
		{key: "usage.completion_tokens", field: fieldTokensOut, rank: rankLast},
		{key: "usage.total_tokens", field: fieldTokensTotal, rank: rankLast},
		{key: "usage.cached_tokens", field: fieldCacheRead, rank: rankLast},
		{key: "usage.reasoning_tokens", field: fieldReasoningTokens, rank: rankLast},
		{key: "llm.messages", field: fieldInput, rank: rankLast},
		{key: "agent.messages", field: fieldInput, rank: rankLast},
		{key: "voltagent.operation_id", implies: kindLLM},
		{key: "voltagent.conversation_id", field: fieldConversation, rank: rankForeign},
		{key: "tool.call.id", field: fieldToolID, rank: rankForeign + 2},
	},
	ownKeys: []binding{{key: "agent.state", implies: kindLLM}},
	content: []string{"agent.instructions", "agent.stateSnapshot", "agent.messages.ui", "agent.context", "llm.messages"},
	finish: func(f *facts, span ptrace.Span, r *Reading) {
		attrs := span.Attributes()
		if text(attrs, "entity.type") == "agent" && r.AgentName == "" {
			r.AgentName = text(attrs, "entity.name")
		}
		if r.Role != RoleEvent {
			// What failed in a run of an agent is told by the run.
			r.Event.Error = nil
			return
		}
		if r.Event.ToolCall != nil {
			if v, ok := attrs.Get("input"); ok && r.Event.ToolCall.Input == nil {
				r.Event.ToolCall.Input = f.valueData(v, "input")
			}
			if v, ok := attrs.Get("output"); ok && r.Event.ToolCall.Output == nil {
				r.Event.ToolCall.Output = f.valueData(v, "output")
			}
		} else if v, ok := attrs.Get("output"); ok && r.Event.Output == nil {
			r.Event.Output = f.valueData(v, "output")
		}
	},
}

// laminar grew out of OpenLLMetry.
var laminar = dialect{
	name:   "laminar",
	scopes: []string{"lmnr*", "@lmnr-ai/*"},
	keys: []binding{
		{key: "lmnr.span.type", field: fieldKind, rank: rankForeign},
		{key: "lmnr.span.input", field: fieldInput, rank: rankLast},
		{key: "lmnr.span.output", field: fieldOutput, rank: rankLast},
		{key: "lmnr.association.properties.session_id", field: fieldConversation, rank: rankForeign},
		{key: "lmnr.association.properties.metadata.tool_call_id", field: fieldToolID, rank: rankOld},
		{key: "lmnr.span.path"},
		{key: "lmnr.span.ids_path"},
	},
	kinds: map[string]kind{
		"LLM": kindLLM, "TOOL": kindTool, "DEFAULT": kindWrapper, "EXECUTOR": kindWrapper, "EVALUATOR": kindWrapper,
		// An answer out of a cache of Laminar's: no call was made.
		"CACHED": kindNone,
	},
	otherwise: kindWrapper,
}

// openLIT writes the convention with costs.
var openLIT = dialect{
	name:   "openlit",
	scopes: []string{"openlit*", "@openlit/*"},
	keys: []binding{
		{key: "gen_ai.sdk.version"},
		{key: "gen_ai.content.prompt", field: fieldInput, rank: rankLast},
		{key: "gen_ai.content.completion", field: fieldOutput, rank: rankLast},
		{key: "gen_ai.endpoint"},
	},
	content:    []string{"gen_ai.framework.*", "gen_ai.content.reasoning"},
	asProvider: true,
	finish: func(_ *facts, _ ptrace.Span, r *Reading) {
		// It says 0 of a model without a price.
		if r.Event.CostUSD.V == 0 {
			r.Event.CostUSD = analysis.Opt[float64]{}
		}
	},
}

// liteLLM is the gateway's own callback.
var liteLLM = dialect{
	name:   "litellm",
	scopes: []string{"litellm*"},
	keys: []binding{
		{key: "llm.is_streaming"},
		{key: "gen_ai.cost.total_cost", field: fieldCost, rank: rankOld},
		{key: "litellm.call_id"},
		{key: "metadata.requester_session_id", field: fieldConversation, rank: rankOld},
	},
	names: map[string]kind{
		"litellm_request": kindLLM,
		// The same call again, as it went to the provider.
		"raw_gen_ai_request": kindNone, "Received Proxy Server Request": kindWrapper,
	},
	content: []string{"llm.openai.*", "llm.anthropic.*", "llm.azure.*", "llm.vertex_ai.*", "llm.bedrock.*", "llm.gemini.*"},
}

// agentOps has a session as the root span of a trace.
var agentOps = dialect{
	name:   "agentops",
	scopes: []string{"agentops*"},
	keys: []binding{
		{key: "agentops.span.kind", field: fieldKind},
		{key: "agentops.entity.input", field: fieldInput, rank: rankOld},
		{key: "agentops.entity.output", field: fieldOutput, rank: rankOld},
		{key: "agentops.session.end_state", expand: outcome},
	},
	kinds: map[string]kind{
		"llm": kindLLM, "tool": kindTool, "agent": kindWrapper, "session": kindWrapper, "workflow": kindWrapper,
		"task": kindWrapper, "operation": kindWrapper, "chain": kindWrapper, "agentic": kindWrapper, "text": kindNone,
	},
	content: []string{
		"agentops.agent.input", "agentops.agent.output", "agentops.task.input", "agentops.task.output",
		"agentops.workflow.input", "agentops.workflow.output", "agentops.tool.input", "agentops.tool.output",
		"agentops.operation.input", "agentops.operation.output",
	},
	finish: func(_ *facts, span ptrace.Span, r *Reading) {
		if r.AgentName == "" && text(span.Attributes(), "agentops.span.kind") == "agent" {
			r.AgentLabel = text(span.Attributes(), "operation.name")
		}
	},
}

// mlflow is MLflow's tracing. Its values are JSON strings, quotes included.
var mlflow = dialect{
	name:   "mlflow",
	scopes: []string{"mlflow*"},
	keys: []binding{
		{key: "mlflow.spanType", field: fieldKind, rank: rankForeign},
		{key: "mlflow.spanInputs", field: fieldInput, rank: rankLast},
		{key: "mlflow.spanOutputs", field: fieldOutput, rank: rankLast},
		{key: "mlflow.chat.tokenUsage", expand: langSmithUsage},
		{key: "mlflow.trace.session", field: fieldConversation, rank: rankForeign},
	},
	kinds: map[string]kind{
		"LLM": kindLLM, "CHAT_MODEL": kindLLM, "EMBEDDING": kindEmbeddings, "RETRIEVER": kindRetrieval, "TOOL": kindTool,
		`"LLM"`: kindLLM, `"CHAT_MODEL"`: kindLLM, `"EMBEDDING"`: kindEmbeddings, `"RETRIEVER"`: kindRetrieval, `"TOOL"`: kindTool,
		"AGENT": kindWrapper, "CHAIN": kindWrapper, "UNKNOWN": kindWrapper,
	},
}

// sentry spells some of the usage in its own way.
var sentry = dialect{
	name: "sentry",
	keys: []binding{
		{key: "gen_ai.usage.input_tokens.cached", field: fieldCacheRead, rank: rankOld},
		{key: "gen_ai.usage.input_tokens.cache_write", field: fieldCacheWrite, rank: rankOld},
		{key: "gen_ai.usage.output_tokens.reasoning", field: fieldReasoningTokens, rank: rankOld},
		{key: "gen_ai.cost.total_tokens", field: fieldCost, rank: rankLast},
		{key: "gen_ai.request.messages", field: fieldInput, rank: rankLast},
		{key: "gen_ai.response.text", field: fieldOutput, rank: rankLast},
	},
	content: []string{"gen_ai.request.available_tools", "gen_ai.response.tool_calls"},
}
