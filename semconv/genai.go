package semconv

// GenAI attribute keys, in the newest spelling of the convention
// (open-telemetry/semantic-conventions-genai, 1.42.0-dev).
const (
	GenAIOperationName = "gen_ai.operation.name"
	GenAIProviderName  = "gen_ai.provider.name"

	GenAIAgentName         = "gen_ai.agent.name"
	GenAIAgentVersion      = "gen_ai.agent.version"
	GenAIConversationID    = "gen_ai.conversation.id"
	GenAIRequestModel      = "gen_ai.request.model"
	GenAIResponseModel     = "gen_ai.response.model"
	GenAIResponseID        = "gen_ai.response.id"
	GenAIFinishReasons     = "gen_ai.response.finish_reasons"
	GenAIInputMessages     = "gen_ai.input.messages"
	GenAIOutputMessages    = "gen_ai.output.messages"
	GenAISystemInstruction = "gen_ai.system_instructions"

	// GenAIUsageInputTokens counts all input tokens, cached ones included.
	GenAIUsageInputTokens = "gen_ai.usage.input_tokens"
	// GenAIUsageOutputTokens counts all output tokens, reasoning included.
	GenAIUsageOutputTokens    = "gen_ai.usage.output_tokens"
	GenAIUsageCacheReadTokens = "gen_ai.usage.cache_read.input_tokens"
	// GenAIUsageCacheWriteTokens replaced GenAIUsageCacheCreationTokens after
	// v1.41.0; most emitters still send the old name.
	GenAIUsageCacheWriteTokens    = "gen_ai.usage.cache_write.input_tokens"
	GenAIUsageCacheCreationTokens = "gen_ai.usage.cache_creation.input_tokens"
	GenAIUsageReasoningTokens     = "gen_ai.usage.reasoning.output_tokens"

	GenAIToolName          = "gen_ai.tool.name"
	GenAIToolType          = "gen_ai.tool.type"
	GenAIToolCallID        = "gen_ai.tool.call.id"
	GenAIToolCallArguments = "gen_ai.tool.call.arguments"
	GenAIToolCallResult    = "gen_ai.tool.call.result"

	GenAIEvaluationName        = "gen_ai.evaluation.name"
	GenAIEvaluationScoreValue  = "gen_ai.evaluation.score.value"
	GenAIEvaluationScoreLabel  = "gen_ai.evaluation.score.label"
	GenAIEvaluationExplanation = "gen_ai.evaluation.explanation"
)

// Older GenAI keys that emitters still send. They are read, never written.
const (
	GenAISystem                = "gen_ai.system"
	GenAIUsagePromptTokens     = "gen_ai.usage.prompt_tokens"
	GenAIUsageCompletionTokens = "gen_ai.usage.completion_tokens"
)

// Values of gen_ai.operation.name.
const (
	OperationChat            = "chat"
	OperationGenerateContent = "generate_content"
	OperationTextCompletion  = "text_completion"
	OperationEmbeddings      = "embeddings"
	OperationRetrieval       = "retrieval"
	OperationCreateAgent     = "create_agent"
	OperationInvokeAgent     = "invoke_agent"
	OperationInvokeWorkflow  = "invoke_workflow"
	OperationExecuteTool     = "execute_tool"
	OperationFetchResponse   = "fetch_response"
	OperationPlan            = "plan"
)

// Keys of OpenTelemetry's general conventions.
const (
	SessionID        = "session.id"
	ServiceName      = "service.name"
	ServiceVersion   = "service.version"
	ErrorType        = "error.type"
	ErrorTypeOther   = "_OTHER"
	ExceptionType    = "exception.type"
	ExceptionMessage = "exception.message"
)

// GenAISchemaURL is the schema of the scope under which the SDK writes.
const GenAISchemaURL = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev"
