package semconv

// Keys of what a client asks of a model and of how the answer came, in the
// newest spelling of the GenAI convention.
const (
	GenAIOutputType             = "gen_ai.output.type"
	GenAIRequestMaxTokens       = "gen_ai.request.max_tokens"
	GenAIRequestChoiceCount     = "gen_ai.request.choice.count"
	GenAIRequestTemperature     = "gen_ai.request.temperature"
	GenAIRequestTopP            = "gen_ai.request.top_p"
	GenAIRequestTopK            = "gen_ai.request.top_k"
	GenAIRequestFreqPenalty     = "gen_ai.request.frequency_penalty"
	GenAIRequestPresencePenalty = "gen_ai.request.presence_penalty"
	GenAIRequestStopSequences   = "gen_ai.request.stop_sequences"
	GenAIRequestEncodings       = "gen_ai.request.encoding_formats"
	GenAIRequestSeed            = "gen_ai.request.seed"
	// GenAIRequestStream is set only when the answer streams.
	GenAIRequestStream = "gen_ai.request.stream"
	// GenAIRequestReasoningLevel and GenAIRequestPreviousResponse came after
	// v1.41.0.
	GenAIRequestReasoningLevel   = "gen_ai.request.reasoning.level"
	GenAIRequestPreviousResponse = "gen_ai.request.previous_response.id"
	// GenAIRequestStreamCursor and GenAIResponseStatus are of a response that is
	// fetched, and came after v1.41.0 too.
	GenAIRequestStreamCursor = "gen_ai.request.stream_cursor"
	GenAIResponseStatus      = "gen_ai.response.status"
	// GenAITimeToFirstChunk is in seconds.
	GenAITimeToFirstChunk = "gen_ai.response.time_to_first_chunk"
	GenAIToolDefinitions  = "gen_ai.tool.definitions"
	GenAIEmbeddingsDims   = "gen_ai.embeddings.dimension.count"
	GenAIPromptName       = "gen_ai.prompt.name"
	GenAITokenType        = "gen_ai.token.type"
	GenAITokenModality    = "gen_ai.token.modality"

	OpenAIAPIType             = "openai.api.type"
	OpenAIRequestServiceTier  = "openai.request.service_tier"
	OpenAIResponseServiceTier = "openai.response.service_tier"
	OpenAIResponseFingerprint = "openai.response.system_fingerprint"

	// AnthropicResponseServiceTier is the spelling of Anthropic's own SDKs.
	AnthropicResponseServiceTier = "anthropic.response.service_tier"

	ServerAddress      = "server.address"
	ServerPort         = "server.port"
	HTTPStatusCode     = "http.response.status_code"
	HTTPResendCount    = "http.request.resend_count"
	NetworkTransport   = "network.transport"
	JSONRPCRequestID   = "jsonrpc.request.id"
	RPCResponseStatus  = "rpc.response.status_code"
	MCPMethodName      = "mcp.method.name"
	MCPSessionID       = "mcp.session.id"
	MCPProtocolVersion = "mcp.protocol.version"
	MCPResourceURI     = "mcp.resource.uri"
)

// Values of gen_ai.provider.name that the middlewares write.
const (
	ProviderOpenAI      = "openai"
	ProviderAzureOpenAI = "azure.ai.openai"
	ProviderAnthropic   = "anthropic"
	ProviderBedrock     = "aws.bedrock"
	ProviderVertexAI    = "gcp.vertex_ai"
	ProviderGemini      = "gcp.gemini"
)

// Metric names of a GenAI client. Those after v1.41.0 come first, the previous
// ones that most backends still read after them.
const (
	MetricInferenceDuration     = "gen_ai.client.inference.duration"
	MetricInferenceFirstChunk   = "gen_ai.client.inference.time_to_first_chunk"
	MetricInferenceInputTokens  = "gen_ai.client.inference.usage.input_tokens"
	MetricInferenceOutputTokens = "gen_ai.client.inference.usage.output_tokens"
	MetricInferenceCacheRead    = "gen_ai.client.inference.usage.cache_read.input_tokens"
	MetricInferenceCacheWrite   = "gen_ai.client.inference.usage.cache_write.input_tokens"
	MetricInferenceReasoning    = "gen_ai.client.inference.usage.reasoning.output_tokens"
	MetricOperationInputTokens  = "gen_ai.client.inference.operation.input_tokens"
	MetricOperationOutputTokens = "gen_ai.client.inference.operation.output_tokens"

	MetricOperationDuration   = "gen_ai.client.operation.duration"
	MetricOperationFirstChunk = "gen_ai.client.operation.time_to_first_chunk"
	MetricTokenUsage          = "gen_ai.client.token.usage"

	MetricMCPClientDuration = "mcp.client.operation.duration"
	MetricMCPServerDuration = "mcp.server.operation.duration"
)
