package spanevent

import "github.com/agentlens/agentlens-otel/semconv"

// dialects lists every dialect that is read. Where two give one key a meaning,
// the earlier wins.
var dialects = []*dialect{&agentLens, &genAI, &general}

// agentLens is what the SDK and the processor write.
var agentLens = dialect{
	name:   "agentlens",
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
	},
}

// genAI is the GenAI semantic convention, current and old.
var genAI = dialect{
	name: "gen_ai",
	keys: []binding{
		{key: semconv.GenAIOperationName, field: fieldOperation},
		{key: semconv.GenAIProviderName, field: fieldProvider},
		{key: semconv.GenAIRequestModel, field: fieldRequestModel},
		{key: semconv.GenAIResponseModel, field: fieldResponseModel},
		{key: semconv.GenAIResponseID, field: fieldResponseID},
		{key: semconv.GenAIFinishReasons, field: fieldFinishReasons},
		{key: semconv.GenAIConversationID, field: fieldConversation},
		{key: semconv.GenAIAgentName, field: fieldAgent},
		{key: semconv.GenAIUsageInputTokens, field: fieldTokensIn},
		{key: semconv.GenAIUsageOutputTokens, field: fieldTokensOut},
		{key: semconv.GenAIUsageCacheReadTokens, field: fieldCacheRead},
		{key: semconv.GenAIUsageCacheWriteTokens, field: fieldCacheWrite},
		{key: semconv.GenAIUsageReasoningTokens, field: fieldReasoningTokens},
		{key: semconv.GenAIToolName, field: fieldToolName},
		{key: semconv.GenAIToolCallID, field: fieldToolID},
		{key: semconv.GenAIToolCallArguments, field: fieldToolArguments},
		{key: semconv.GenAIToolCallResult, field: fieldToolResult},
		{key: semconv.GenAIInputMessages, field: fieldInput, rank: rankForeign},
		{key: semconv.GenAIOutputMessages, field: fieldOutput, rank: rankForeign},

		{key: semconv.GenAISystem, field: fieldProvider, rank: rankOld},
		{key: semconv.GenAIUsagePromptTokens, field: fieldTokensIn, rank: rankOld},
		{key: semconv.GenAIUsageCompletionTokens, field: fieldTokensOut, rank: rankOld},
		{key: semconv.GenAIUsageCacheCreationTokens, field: fieldCacheWrite, rank: rankOld},
	},
}

// general holds the keys of OpenTelemetry at large. On their own they do not
// make a span GenAI.
var general = dialect{
	name: "otel",
	keys: []binding{
		{key: semconv.SessionID, field: fieldSession},
		{key: semconv.ErrorType, field: fieldErrorType},
	},
}

// operations translates gen_ai.operation.name.
var operations = map[string]kind{
	semconv.OperationChat:            kindLLM,
	semconv.OperationGenerateContent: kindLLM,
	semconv.OperationTextCompletion:  kindLLM,
	semconv.OperationEmbeddings:      kindEmbeddings,
	semconv.OperationRetrieval:       kindRetrieval,
	semconv.OperationExecuteTool:     kindTool,
	semconv.OperationInvokeAgent:     kindWrapper,
	semconv.OperationInvokeWorkflow:  kindWrapper,
	semconv.OperationCreateAgent:     kindWrapper,
	semconv.OperationPlan:            kindWrapper,
}
