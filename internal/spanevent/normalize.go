package spanevent

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Normalize writes what r tells of a foreign span in the current keys of the
// GenAI convention, where they are absent, and in both spellings where a rename
// is under way. What stands on the span stays. Usage goes onto the spans of
// calls only: on a wrapper, or on a span that repeats a call, it would be
// counted twice.
func Normalize(span ptrace.Span, r *Reading) {
	if r.Own || r.Role != RoleEvent && r.Role != RoleWrapper && r.Role != RolePart {
		return
	}
	w := writer{span.Attributes()}
	w.text(semconv.GenAIAgentName, r.AgentName)
	if r.SessionID != r.TraceID.String() {
		w.text(semconv.GenAIConversationID, r.SessionID)
	}
	if r.Role != RoleEvent {
		return
	}
	e := &r.Event
	w.text(semconv.GenAIOperationName, operationOf(e.Type))
	w.text(semconv.GenAIProviderName, e.Provider)
	w.text(semconv.GenAISystem, e.Provider)
	w.text(semconv.GenAIRequestModel, e.Model)
	w.text(semconv.GenAIResponseModel, e.ResponseModel)
	w.text(semconv.GenAIResponseID, e.ResponseID)
	w.count(semconv.GenAIUsageInputTokens, e.TokensIn)
	w.count(semconv.GenAIUsageOutputTokens, e.TokensOut)
	w.count(semconv.GenAIUsageCacheReadTokens, e.CacheReadTokens)
	w.count(semconv.GenAIUsageCacheWriteTokens, e.CacheWriteTokens)
	w.count(semconv.GenAIUsageCacheCreationTokens, e.CacheWriteTokens)
	w.count(semconv.GenAIUsageReasoningTokens, e.ReasoningTokens)
	w.finishReasons()
	if e.Error != nil {
		w.text(semconv.ErrorType, e.Error.Type)
	}
	if t := e.ToolCall; t != nil {
		w.text(semconv.GenAIToolName, t.Name)
		w.text(semconv.GenAIToolCallID, t.ID)
		w.text(semconv.GenAIToolCallArguments, string(t.Input))
		w.text(semconv.GenAIToolCallResult, string(t.Output))
	}
	if e.Type == analysis.EventLLMCall {
		w.text(semconv.GenAIInputMessages, string(messagesOf(e.Input, "input", "user")))
		w.text(semconv.GenAIOutputMessages, string(messagesOf(e.Output, "output", "assistant")))
	}
}

func operationOf(t analysis.EventType) string {
	switch t {
	case analysis.EventLLMCall:
		return semconv.OperationChat
	case analysis.EventToolCall:
		return semconv.OperationExecuteTool
	case semconv.OperationEmbeddings, semconv.OperationRetrieval:
		return string(t)
	}
	return ""
}

// writer writes attributes that are absent.
type writer struct{ attrs pcommon.Map }

func (w writer) absent(key string) bool {
	_, ok := w.attrs.Get(key)
	return !ok
}

func (w writer) text(key, value string) {
	if value != "" && w.absent(key) {
		w.attrs.PutStr(key, value)
	}
}

func (w writer) count(key string, value analysis.Opt[int64]) {
	if value.OK && w.absent(key) {
		w.attrs.PutInt(key, value.V)
	}
}

// finishReasons writes the list that some dialects have as a text.
func (w writer) finishReasons() {
	if !w.absent(semconv.GenAIFinishReasons) {
		return
	}
	var f facts
	for key, v := range w.attrs.All() {
		if b := keys.find(key); b != nil && b.field == fieldFinishReasons {
			f.set(b.field, b.rank, v)
		}
	}
	if reasons := f.texts(fieldFinishReasons); len(reasons) > 0 {
		list := w.attrs.PutEmptySlice(semconv.GenAIFinishReasons)
		for _, reason := range reasons {
			list.AppendEmpty().SetStr(reason)
		}
	}
}
