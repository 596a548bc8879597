package semconv

// Names of the GenAI metrics of a client. Those of v1.41.0 are what most
// backends know; the convention has since given inference names of its own.
const (
	// MetricOperationDuration is in seconds. The newer convention has it for
	// operations that are no inference.
	MetricOperationDuration = "gen_ai.client.operation.duration"
	MetricTokenUsage        = "gen_ai.client.token.usage"
	MetricTimeToFirstChunk  = "gen_ai.client.operation.time_to_first_chunk"

	MetricInferenceDuration         = "gen_ai.client.inference.duration"
	MetricInferenceTimeToFirstChunk = "gen_ai.client.inference.time_to_first_chunk"
	MetricInferenceInputTokens      = "gen_ai.client.inference.operation.input_tokens"
	MetricInferenceOutputTokens     = "gen_ai.client.inference.operation.output_tokens"
	MetricUsageInputTokens          = "gen_ai.client.inference.usage.input_tokens"
	MetricUsageOutputTokens         = "gen_ai.client.inference.usage.output_tokens"
	MetricUsageCacheReadTokens      = "gen_ai.client.inference.usage.cache_read.input_tokens"
	MetricUsageCacheWriteTokens     = "gen_ai.client.inference.usage.cache_write.input_tokens"
	MetricUsageReasoningTokens      = "gen_ai.client.inference.usage.reasoning.output_tokens"
	MetricExecuteToolDuration       = "gen_ai.execute_tool.duration"
	MetricInvokeAgentDuration       = "gen_ai.invoke_agent.duration"
)

// Keys and values of what the token metrics are split by.
const (
	// GenAITokenType is TokenTypeInput or TokenTypeOutput; the newer convention
	// has a metric for each instead, and GenAITokenModality.
	GenAITokenType       = "gen_ai.token.type"
	TokenTypeInput       = "input"
	TokenTypeOutput      = "output"
	GenAITokenModality   = "gen_ai.token.modality"
	TokenModalityUnknown = "unknown"
)
