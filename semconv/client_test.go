package semconv

import (
	"testing"

	"github.com/stretchr/testify/assert"
	otelsemconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
)

// The keys of the client middlewares that v1.41.0 also knows must be spelled
// as it spells them.
func TestClientKeysMatchOTel(t *testing.T) {
	for _, c := range []struct {
		ours string
		otel string
	}{
		{GenAIOutputType, string(otelsemconv.GenAIOutputTypeKey)},
		{GenAIRequestMaxTokens, string(otelsemconv.GenAIRequestMaxTokensKey)},
		{GenAIRequestChoiceCount, string(otelsemconv.GenAIRequestChoiceCountKey)},
		{GenAIRequestTemperature, string(otelsemconv.GenAIRequestTemperatureKey)},
		{GenAIRequestTopP, string(otelsemconv.GenAIRequestTopPKey)},
		{GenAIRequestTopK, string(otelsemconv.GenAIRequestTopKKey)},
		{GenAIRequestFreqPenalty, string(otelsemconv.GenAIRequestFrequencyPenaltyKey)},
		{GenAIRequestPresencePenalty, string(otelsemconv.GenAIRequestPresencePenaltyKey)},
		{GenAIRequestStopSequences, string(otelsemconv.GenAIRequestStopSequencesKey)},
		{GenAIRequestEncodings, string(otelsemconv.GenAIRequestEncodingFormatsKey)},
		{GenAIRequestSeed, string(otelsemconv.GenAIRequestSeedKey)},
		{GenAIRequestStream, string(otelsemconv.GenAIRequestStreamKey)},
		{GenAITimeToFirstChunk, string(otelsemconv.GenAIResponseTimeToFirstChunkKey)},
		{GenAIToolDefinitions, string(otelsemconv.GenAIToolDefinitionsKey)},
		{GenAIEmbeddingsDims, string(otelsemconv.GenAIEmbeddingsDimensionCountKey)},
		{GenAIPromptName, string(otelsemconv.GenAIPromptNameKey)},
		{GenAITokenType, string(otelsemconv.GenAITokenTypeKey)},
		{OpenAIAPIType, string(otelsemconv.OpenAIAPITypeKey)},
		{OpenAIRequestServiceTier, string(otelsemconv.OpenAIRequestServiceTierKey)},
		{OpenAIResponseServiceTier, string(otelsemconv.OpenAIResponseServiceTierKey)},
		{OpenAIResponseFingerprint, string(otelsemconv.OpenAIResponseSystemFingerprintKey)},
		{ServerAddress, string(otelsemconv.ServerAddressKey)},
		{ServerPort, string(otelsemconv.ServerPortKey)},
		{HTTPStatusCode, string(otelsemconv.HTTPResponseStatusCodeKey)},
		{HTTPResendCount, string(otelsemconv.HTTPRequestResendCountKey)},
		{NetworkTransport, string(otelsemconv.NetworkTransportKey)},
		{JSONRPCRequestID, string(otelsemconv.JSONRPCRequestIDKey)},
		{RPCResponseStatus, string(otelsemconv.RPCResponseStatusCodeKey)},
		{MCPMethodName, string(otelsemconv.McpMethodNameKey)},
		{MCPSessionID, string(otelsemconv.McpSessionIDKey)},
		{MCPProtocolVersion, string(otelsemconv.McpProtocolVersionKey)},
		{MCPResourceURI, string(otelsemconv.McpResourceURIKey)},
		{ProviderOpenAI, otelsemconv.GenAIProviderNameOpenAI.Value.AsString()},
		{ProviderAzureOpenAI, otelsemconv.GenAIProviderNameAzureAIOpenAI.Value.AsString()},
		{ProviderAnthropic, otelsemconv.GenAIProviderNameAnthropic.Value.AsString()},
		{ProviderBedrock, otelsemconv.GenAIProviderNameAWSBedrock.Value.AsString()},
		{ProviderVertexAI, otelsemconv.GenAIProviderNameGCPVertexAI.Value.AsString()},
		{ProviderGemini, otelsemconv.GenAIProviderNameGCPGemini.Value.AsString()},
		{MetricOperationDuration, genaiconv.ClientOperationDuration{}.Name()},
		{MetricOperationFirstChunk, genaiconv.ClientOperationTimeToFirstChunk{}.Name()},
		{MetricTokenUsage, genaiconv.ClientTokenUsage{}.Name()},
	} {
		assert.Equal(t, c.otel, c.ours)
	}
}
