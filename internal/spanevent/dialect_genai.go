package spanevent

import "github.com/agentlens/agentlens-otel/semconv"

// DialectAgentLens is the Reading.Dialect of what the SDK and the processor
// write.
const DialectAgentLens = "agentlens"

// agentLens is what the SDK and the processor write.
var agentLens = dialect{
	name:   DialectAgentLens,
	scopes: []string{semconv.ScopeName, semconv.ProcessorScopeName},
	keys: []binding{
		{key: semconv.EventType, field: fieldEventType},
		{key: semconv.AgentLensSessionID, field: fieldStampedSession},
		{key: semconv.AgentLensAgentName, field: fieldStampedAgent},
		{key: semconv.EventInput, field: fieldInput},
		{key: semconv.EventOutput, field: fieldOutput},
		{key: semconv.EventModel, field: fieldRequestModel, rank: rankForeign},
		{key: semconv.EventTokensInput, field: fieldTokensIn, rank: rankForeign},
		{key: semconv.EventTokensOutput, field: fieldTokensOut, rank: rankForeign},
		{key: semconv.EventTokensCacheRead, field: fieldCacheRead, rank: rankForeign},
		{key: semconv.EventTokensCacheWrite, field: fieldCacheWrite, rank: rankForeign},
		{key: semconv.EventTokensReasoning, field: fieldReasoningTokens, rank: rankForeign},
		{key: semconv.EventReplaces, field: fieldReplaces},
		{key: semconv.EventPartOf, field: fieldPartOf},
		{key: semconv.ToolName, field: fieldToolName, rank: rankForeign},
		{key: semconv.ToolCallID, field: fieldToolID, rank: rankForeign},
		{key: semconv.ToolCallArguments, field: fieldToolArguments, rank: rankForeign},
		{key: semconv.ToolCallResult, field: fieldToolResult, rank: rankForeign},
		{key: semconv.DecisionID, field: fieldDecisionID},
		{key: semconv.DecisionStep, field: fieldDecisionStep},
		{key: semconv.DecisionReasoning, field: fieldReasoning},
		{key: semconv.DecisionAlternatives, field: fieldAlternatives},
		{key: semconv.DecisionConfidence, field: fieldConfidence},
		{key: semconv.SessionStatus, field: fieldStatus},
		{key: semconv.SessionTokensInput, field: fieldTotalIn},
		{key: semconv.SessionTokensOutput, field: fieldTotalOut},
		{key: semconv.ReportRevision, field: fieldRevision},
		{key: semconv.CostAmount, field: fieldCost},
		{key: semconv.EventCost, field: fieldCost, rank: rankForeign},
	},
}

// genAI is the GenAI semantic convention, current and old, with the spellings
// that several libraries share.
var genAI = dialect{
	name: "gen_ai",
	keys: []binding{
		{key: semconv.GenAIOperationName, field: fieldOperation},
		{key: semconv.GenAIProviderName, field: fieldProvider},
		{key: semconv.GenAIRequestModel, field: fieldRequestModel},
		{key: semconv.GenAIResponseModel, field: fieldResponseModel},
		{key: semconv.GenAIResponseID, field: fieldResponseID},
		{key: semconv.GenAIFinishReasons, field: fieldFinishReasons},
		{key: "gen_ai.response.finish_reason", field: fieldFinishReasons, rank: rankOld},
		{key: semconv.GenAIConversationID, field: fieldConversation},
		{key: semconv.GenAIAgentName, field: fieldAgent},
		{key: semconv.GenAIAgentVersion, field: fieldAgentVersion},
		{key: semconv.GenAIUsageInputTokens, field: fieldTokensIn},
		{key: semconv.GenAIUsageOutputTokens, field: fieldTokensOut},
		{key: semconv.GenAIUsageCacheReadTokens, field: fieldCacheRead},
		{key: semconv.GenAIUsageCacheWriteTokens, field: fieldCacheWrite},
		{key: semconv.GenAIUsageReasoningTokens, field: fieldReasoningTokens},
		{key: semconv.GenAIToolName, field: fieldToolName},
		{key: semconv.GenAIToolCallID, field: fieldToolID},
		{key: "gen_ai.tool.call_id", field: fieldToolID, rank: rankOld},
		{key: semconv.GenAIToolCallArguments, field: fieldToolArguments},
		{key: "gen_ai.tool.args", field: fieldToolArguments, rank: rankOld},
		{key: "gen_ai.tool.arguments", field: fieldToolArguments, rank: rankOld},
		{key: "gen_ai.tool.input", field: fieldToolArguments, rank: rankOld},
		{key: semconv.GenAIToolCallResult, field: fieldToolResult},
		{key: "gen_ai.tool.output", field: fieldToolResult, rank: rankOld},
		{key: "gen_ai.tool.status", expand: outcome},
		{key: semconv.GenAIInputMessages, field: fieldInput, rank: rankForeign},
		{key: semconv.GenAIOutputMessages, field: fieldOutput, rank: rankForeign},
		{key: "openai.response.service_tier", field: fieldServiceTier},
		{key: "gen_ai.openai.response.service_tier", field: fieldServiceTier, rank: rankOld},
		{key: "gen_ai.response.service_tier", field: fieldServiceTier, rank: rankOld},

		{key: semconv.GenAISystem, field: fieldProvider, rank: rankOld},
		{key: semconv.GenAIUsagePromptTokens, field: fieldTokensIn, rank: rankOld},
		{key: semconv.GenAIUsageCompletionTokens, field: fieldTokensOut, rank: rankOld},
		{key: semconv.GenAIUsageCacheCreationTokens, field: fieldCacheWrite, rank: rankOld},
		{key: "gen_ai.usage.total_tokens", field: fieldTokensTotal, rank: rankOld},
		{key: "gen_ai.usage.cache_read_input_tokens", field: fieldCacheRead, rank: rankOld},
		{key: "gen_ai.usage.cache_read_tokens", field: fieldCacheRead, rank: rankLast},
		{key: "gen_ai.usage.prompt_tokens_details.cached_tokens", field: fieldCacheRead, rank: rankOld},
		{key: "gen_ai.usage.cache_creation_input_tokens", field: fieldCacheWrite, rank: rankOld},
		{key: "gen_ai.usage.cache_write_input_tokens", field: fieldCacheWrite, rank: rankOld},
		{key: "gen_ai.usage.prompt_tokens_details.cache_creation_tokens", field: fieldCacheWrite, rank: rankOld},
		{key: "gen_ai.usage.reasoning_tokens", field: fieldReasoningTokens, rank: rankOld},
		{key: "gen_ai.usage.thoughts_tokens", field: fieldReasoningTokens, rank: rankOld + 1},
		{key: "gen_ai.usage.completion_tokens_details.reasoning_tokens", field: fieldReasoningTokens, rank: rankOld},
		{key: "gen_ai.prompt", field: fieldInput, rank: rankOld},
		{key: "gen_ai.completion", field: fieldOutput, rank: rankOld},

		{key: "gen_ai.usage.cost.amount", field: fieldCost, rank: rankForeign},
		{key: "gen_ai.usage.cost", field: fieldCost, rank: rankOld},
		{key: "gen_ai.usage.total_cost", field: fieldCost, rank: rankOld + 1},
		{key: "gen_ai.cost.total", field: fieldCost, rank: rankOld + 2},
		{key: "gen_ai.cost.total_cost", field: fieldCost, rank: rankOld + 3},
		{key: "gen_ai.token.cost.total", field: fieldCost, rank: rankOld + 4},
		{key: "_signoz.gen_ai.total_cost", field: fieldCost, rank: rankLast},
	},
	flatInput:  []string{"gen_ai.prompt."},
	flatOutput: []string{"gen_ai.completion."},
	content: []string{
		semconv.GenAISystemInstruction, "gen_ai.tool.definitions", "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents",
		"gen_ai.memory.query.text", "gen_ai.memory.records", "gen_ai.prompt.variable.*", "gen_ai.event.content",
	},
}

// general holds the keys of OpenTelemetry at large, and words so common that
// no dialect owns them. On their own they do not make a span GenAI.
var general = dialect{
	name: "otel",
	keys: []binding{
		{key: semconv.SessionID, field: fieldSession},
		{key: "conversation.id", field: fieldConversation, rank: rankLast},
		{key: semconv.ErrorType, field: fieldErrorType},
		{key: "error.message", field: fieldErrorMessage},
	},
}

// operationKind translates gen_ai.operation.name, and the words that libraries
// put there instead of the convention's.
func operationKind(operation string) kind {
	switch operation {
	case semconv.OperationChat, semconv.OperationGenerateContent, semconv.OperationTextCompletion,
		"completion", "completions", "acompletion", "chat_completion", "chat.completions", "messages", "message",
		"response", "responses", "generate_text", "generate", "llm_call", "llm_request":
		return kindLLM
	case semconv.OperationEmbeddings, "embedding", "embed":
		return kindEmbeddings
	case semconv.OperationRetrieval, "retrieve", "vector_db_retrieve":
		return kindRetrieval
	case semconv.OperationExecuteTool, "tool_call", "tool":
		return kindTool
	case semconv.OperationInvokeAgent, semconv.OperationInvokeWorkflow, semconv.OperationCreateAgent, semconv.OperationPlan:
		return kindWrapper
	case semconv.OperationFetchResponse:
		// It tells of a response again whose tokens were counted before.
		return kindNone
	}
	return kindUnknown
}
