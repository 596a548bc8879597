package semconv

import (
	"testing"

	"github.com/stretchr/testify/assert"
	otelsemconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// The keys that v1.41.0 also knows must be spelled as it spells them.
func TestSharedKeysMatchOTel(t *testing.T) {
	for _, c := range []struct {
		ours string
		otel string
	}{
		{GenAIOperationName, string(otelsemconv.GenAIOperationNameKey)},
		{GenAIProviderName, string(otelsemconv.GenAIProviderNameKey)},
		{GenAIAgentName, string(otelsemconv.GenAIAgentNameKey)},
		{GenAIAgentVersion, string(otelsemconv.GenAIAgentVersionKey)},
		{GenAIConversationID, string(otelsemconv.GenAIConversationIDKey)},
		{GenAIRequestModel, string(otelsemconv.GenAIRequestModelKey)},
		{GenAIResponseModel, string(otelsemconv.GenAIResponseModelKey)},
		{GenAIResponseID, string(otelsemconv.GenAIResponseIDKey)},
		{GenAIFinishReasons, string(otelsemconv.GenAIResponseFinishReasonsKey)},
		{GenAIInputMessages, string(otelsemconv.GenAIInputMessagesKey)},
		{GenAIOutputMessages, string(otelsemconv.GenAIOutputMessagesKey)},
		{GenAISystemInstruction, string(otelsemconv.GenAISystemInstructionsKey)},
		{GenAIUsageInputTokens, string(otelsemconv.GenAIUsageInputTokensKey)},
		{GenAIUsageOutputTokens, string(otelsemconv.GenAIUsageOutputTokensKey)},
		{GenAIUsageCacheReadTokens, string(otelsemconv.GenAIUsageCacheReadInputTokensKey)},
		{GenAIUsageCacheCreationTokens, string(otelsemconv.GenAIUsageCacheCreationInputTokensKey)},
		{GenAIUsageReasoningTokens, string(otelsemconv.GenAIUsageReasoningOutputTokensKey)},
		{GenAIToolName, string(otelsemconv.GenAIToolNameKey)},
		{GenAIToolType, string(otelsemconv.GenAIToolTypeKey)},
		{GenAIToolCallID, string(otelsemconv.GenAIToolCallIDKey)},
		{GenAIToolCallArguments, string(otelsemconv.GenAIToolCallArgumentsKey)},
		{GenAIToolCallResult, string(otelsemconv.GenAIToolCallResultKey)},
		{GenAIEvaluationName, string(otelsemconv.GenAIEvaluationNameKey)},
		{GenAIEvaluationScoreValue, string(otelsemconv.GenAIEvaluationScoreValueKey)},
		{GenAIEvaluationScoreLabel, string(otelsemconv.GenAIEvaluationScoreLabelKey)},
		{GenAIEvaluationExplanation, string(otelsemconv.GenAIEvaluationExplanationKey)},
		{SessionID, string(otelsemconv.SessionIDKey)},
		{ServiceName, string(otelsemconv.ServiceNameKey)},
		{ServiceVersion, string(otelsemconv.ServiceVersionKey)},
		{ErrorType, string(otelsemconv.ErrorTypeKey)},
		{ErrorTypeOther, otelsemconv.ErrorTypeOther.Value.AsString()},
		{ExceptionType, string(otelsemconv.ExceptionTypeKey)},
		{ExceptionMessage, string(otelsemconv.ExceptionMessageKey)},
		{OperationChat, otelsemconv.GenAIOperationNameChat.Value.AsString()},
		{OperationGenerateContent, otelsemconv.GenAIOperationNameGenerateContent.Value.AsString()},
		{OperationTextCompletion, otelsemconv.GenAIOperationNameTextCompletion.Value.AsString()},
		{OperationEmbeddings, otelsemconv.GenAIOperationNameEmbeddings.Value.AsString()},
		{OperationRetrieval, otelsemconv.GenAIOperationNameRetrieval.Value.AsString()},
		{OperationCreateAgent, otelsemconv.GenAIOperationNameCreateAgent.Value.AsString()},
		{OperationInvokeAgent, otelsemconv.GenAIOperationNameInvokeAgent.Value.AsString()},
		{OperationInvokeWorkflow, otelsemconv.GenAIOperationNameInvokeWorkflow.Value.AsString()},
		{OperationExecuteTool, otelsemconv.GenAIOperationNameExecuteTool.Value.AsString()},
	} {
		assert.Equal(t, c.otel, c.ours)
	}
}
