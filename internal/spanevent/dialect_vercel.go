package spanevent

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// vercelAI is the AI SDK's own convention (up to version 6, and later as
// LegacyOpenTelemetry). The spans of generateText and its like carry the sums
// of their doGenerate and doStream spans.
var vercelAI = dialect{
	name:   "vercel_ai",
	scopes: []string{"ai", "@ai-sdk/otel"},
	keys: []binding{
		{key: "ai.operationId", field: fieldKind},
		{key: "ai.model.provider", field: fieldProvider, rank: rankForeign},
		{key: "ai.model.id", field: fieldRequestModel, rank: rankForeign},
		{key: "ai.response.model", field: fieldResponseModel, rank: rankForeign},
		{key: "ai.response.id", field: fieldResponseID, rank: rankForeign},
		{key: "ai.response.finishReason", field: fieldFinishReasons, rank: rankForeign},
		{key: "ai.finishReason", field: fieldFinishReasons, rank: rankOld},
		{key: "ai.usage.inputTokens", field: fieldTokensIn, rank: rankForeign},
		{key: "ai.usage.promptTokens", field: fieldTokensIn, rank: rankForeign + 1},
		{key: "ai.usage.tokens", field: fieldTokensIn, rank: rankForeign + 2},
		{key: "ai.usage.outputTokens", field: fieldTokensOut, rank: rankForeign},
		{key: "ai.usage.completionTokens", field: fieldTokensOut, rank: rankForeign + 1},
		{key: "ai.usage.totalTokens", field: fieldTokensTotal, rank: rankForeign},
		{key: "ai.usage.inputTokenDetails.noCacheTokens", field: fieldTokensUncached, rank: rankForeign},
		{key: "ai.response.providerMetadata", expand: vercelMetadata},
		{key: "ai.usage.inputTokenDetails.cacheReadTokens", field: fieldCacheRead, rank: rankForeign},
		{key: "ai.usage.cachedInputTokens", field: fieldCacheRead, rank: rankForeign + 1},
		{key: "ai.usage.inputTokenDetails.cacheWriteTokens", field: fieldCacheWrite, rank: rankForeign},
		{key: "ai.usage.outputTokenDetails.reasoningTokens", field: fieldReasoningTokens, rank: rankForeign},
		{key: "ai.usage.reasoningTokens", field: fieldReasoningTokens, rank: rankForeign + 1},
		{key: "ai.toolCall.name", field: fieldToolName, rank: rankForeign},
		{key: "ai.toolCall.id", field: fieldToolID, rank: rankForeign},
		{key: "ai.toolCall.args", field: fieldToolArguments, rank: rankForeign},
		{key: "ai.toolCall.input", field: fieldToolArguments, rank: rankForeign + 1},
		{key: "ai.toolCall.result", field: fieldToolResult, rank: rankForeign},
		{key: "ai.toolCall.output", field: fieldToolResult, rank: rankForeign + 1},
		{key: "ai.prompt.messages", field: fieldInput, rank: rankForeign + 1},
		{key: "ai.prompt", field: fieldInput, rank: rankForeign + 2},
		{key: "ai.value", field: fieldInput, rank: rankForeign + 3},
		{key: "ai.values", field: fieldInput, rank: rankForeign + 4},
		{key: "ai.response.text", field: fieldOutput, rank: rankForeign + 1},
		{key: "ai.response.object", field: fieldOutput, rank: rankForeign + 2},
		{key: "ai.result.text", field: fieldOutput, rank: rankForeign + 3},
		{key: "ai.response.toolCalls", field: fieldOutput, rank: rankForeign + 4},
		{key: "ai.telemetry.metadata.sessionId", field: fieldConversation, rank: rankForeign},
		{key: "ai.telemetry.metadata.session_id", field: fieldConversation, rank: rankForeign + 1},
		{key: "ai.telemetry.metadata.conversationId", field: fieldConversation, rank: rankForeign + 2},
		{key: "ai.telemetry.metadata.threadId", field: fieldConversation, rank: rankForeign + 3},
		{key: "ai.telemetry.metadata.chatId", field: fieldConversation, rank: rankForeign + 4},
		{key: "ai.settings.context.sessionId", field: fieldConversation, rank: rankForeign + 5},
		{key: "ai.settings.context.session_id", field: fieldConversation, rank: rankForeign + 6},
		{key: "ai.settings.context.conversationId", field: fieldConversation, rank: rankForeign + 7},
		{key: "ai.telemetry.functionId", field: fieldAgentLabel},
	},
	kinds: map[string]kind{
		"ai.generateText.doGenerate": kindLLM, "ai.generateObject.doGenerate": kindLLM,
		"ai.streamText.doStream": kindLLM, "ai.streamObject.doStream": kindLLM,
		"ai.generateText": kindWrapper, "ai.streamText": kindWrapper, "ai.generateObject": kindWrapper, "ai.streamObject": kindWrapper,
		"ai.toolCall": kindTool, "ai.embed": kindWrapper, "ai.embedMany": kindWrapper,
		"ai.embed.doEmbed": kindEmbeddings, "ai.embedMany.doEmbed": kindEmbeddings, "ai.rerank": kindWrapper, "ai.rerank.doRerank": kindWrapper,
	},
	content: []string{
		"ai.prompt.*", "ai.response.text", "ai.response.object", "ai.response.toolCalls", "ai.response.reasoning", "ai.response.files",
		"ai.result.*", "ai.toolCall.args", "ai.toolCall.result", "ai.schema", "ai.embedding", "ai.embeddings", "ai.documents", "ai.ranking",
	},
	finish: finishVercel,
}

// vercelMetadata reads what the providers tell beside the SDK's own counts. Up
// to version 5 those are as the provider counts: Anthropic's and Bedrock's
// input does not include the cached tokens, and only this key tells all of
// them.
func vercelMetadata(f *facts, v pcommon.Value) {
	m := object(v)
	if anthropic, ok := m["anthropic"].(map[string]any); ok {
		f.apart = true
		f.setCount(fieldCacheWrite, rankOld, anthropic, "cacheCreationInputTokens")
		f.setCount(fieldCacheRead, rankOld, anthropic, "cacheReadInputTokens")
		if usage, ok := anthropic["usage"].(map[string]any); ok {
			f.setCount(fieldTokensUncached, rankOld, usage, "input_tokens")
			f.setCount(fieldCacheWrite, rankOld, usage, "cache_creation_input_tokens")
			f.setCount(fieldCacheRead, rankOld, usage, "cache_read_input_tokens")
		}
	}
	if bedrock, ok := m["bedrock"].(map[string]any); ok {
		f.apart = true
		if usage, ok := bedrock["usage"].(map[string]any); ok {
			f.setCount(fieldCacheWrite, rankOld, usage, "cacheWriteInputTokens")
			f.setCount(fieldCacheRead, rankOld, usage, "cacheReadInputTokens")
		}
	}
	if openai, ok := m["openai"].(map[string]any); ok {
		f.setCount(fieldCacheRead, rankOld, openai, "cachedPromptTokens")
		f.setCount(fieldReasoningTokens, rankOld, openai, "reasoningTokens")
	}
}

// finishVercel makes the tool calls of an answer without text its output.
func finishVercel(f *facts, span ptrace.Span, r *Reading) {
	if r.Role != RoleEvent || f.str(fieldOutput) != "" {
		return
	}
	if v, ok := span.Attributes().Get("ai.response.toolCalls"); ok {
		r.Event.Output = f.valueData(v, "output")
	}
}
