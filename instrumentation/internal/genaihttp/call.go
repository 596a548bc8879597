package genaihttp

import (
	"encoding/json"
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Call is what is known of one call to a model.
type Call struct {
	Operation string // gen_ai.operation.name
	Provider  string
	Model     string // asked for
	Streaming bool
	// Apart says that it is no request to a model but about one: it never adds
	// to the span of a StartLLM around it.
	Apart bool

	ResponseID    string
	ResponseModel string
	FinishReasons []string
	Usage         Usage

	System []Part
	Input  []Message
	Output []Message
	// OutputCut says that a part of the output was not kept.
	OutputCut bool
	// Tools is the JSON of gen_ai.tool.definitions.
	Tools json.RawMessage

	// Complete says that the answer told its end. A stream that ends without
	// is a failure.
	Complete bool
	// ErrorType is empty as long as nothing failed.
	ErrorType    string
	ErrorMessage string

	request, response []attribute.KeyValue
	dropped           []string // attributes whose content a redactor failed on
}

// Usage is the token counts as the convention wants them: input includes the
// cached ones, output the reasoning ones. What the provider did not say is
// absent.
type Usage struct {
	Input, Output, CacheRead, CacheWrite, Reasoning analysis.Opt[int64]
}

// Reader reads the JSON of one call. It is asked for one call only, and not
// from two goroutines at once.
type Reader interface {
	// RequestMembers selects what Request gets of the request's body.
	RequestMembers() Select
	Request(call *Call, m *Members)
	// AnswerMembers selects what Answer gets of a whole answer, or Event of
	// each event of a stream.
	AnswerMembers(stream bool) Select
	Answer(call *Call, m *Members)
	Event(call *Call, event string, m *Members)
}

// Finisher is a Reader that completes the call when its answer has ended,
// whether whole or not.
type Finisher interface{ Finish(call *Call) }

// SetRequest adds an attribute of the request.
func (c *Call) SetRequest(kv attribute.KeyValue) { c.request = append(c.request, kv) }

// SetResponse adds an attribute of the response.
func (c *Call) SetResponse(kv attribute.KeyValue) {
	for i := range c.response {
		if c.response[i].Key == kv.Key {
			c.response[i] = kv
			return
		}
	}
	c.response = append(c.response, kv)
}

// CopyText sets an attribute of the request to the string at path, if any.
func (c *Call) CopyText(key string, m *Members, path string) {
	if s := m.String(path); s != "" {
		c.SetRequest(attribute.String(key, s))
	}
}

// CopyInt sets an attribute of the request to the integer at path, if any.
func (c *Call) CopyInt(key string, m *Members, path string) {
	var n int64
	if m.Decode(path, &n) {
		c.SetRequest(attribute.Int64(key, n))
	}
}

// CopyFloat sets an attribute of the request to the number at path, if any.
func (c *Call) CopyFloat(key string, m *Members, path string) {
	var f float64
	if m.Decode(path, &f) {
		c.SetRequest(attribute.Float64(key, f))
	}
}

// CopyTexts sets an attribute of the request to the string or the strings at
// path, if any.
func (c *Call) CopyTexts(key string, m *Members, path string) {
	var list []string
	var one string
	if m.Decode(path, &list) && len(list) > 0 {
		c.SetRequest(attribute.StringSlice(key, list))
	} else if m.Decode(path, &one) && one != "" {
		c.SetRequest(attribute.StringSlice(key, []string{one}))
	}
}

// FinishReason sets the reason why the choice of an index ended.
func (c *Call) FinishReason(index int, reason string) {
	if reason == "" || index < 0 || index >= maxChoices {
		return
	}
	for len(c.FinishReasons) <= index {
		c.FinishReasons = append(c.FinishReasons, "")
	}
	c.FinishReasons[index] = reason
}

const maxChoices = 128

// Fail records an error object of the provider: {"type", "code", "status",
// "message"}, all optional. status is the HTTP status and then the error's type,
// because an attempt that is tried again is told by nothing else; it is 0 inside
// a stream.
func (c *Call) Fail(raw json.RawMessage, status int) {
	var e struct {
		Type    any `json:"type"`
		Code    any `json:"code"`
		Status  any `json:"status"`
		Message any `json:"message"`
	}
	if json.Unmarshal(raw, &e) != nil {
		var text string // Some servers send a bare text.
		_ = json.Unmarshal(raw, &text)
		e.Message = text
	}
	message, _ := e.Message.(string)
	c.ErrorMessage = cut(message, maxErrorMessage)
	if status != 0 {
		c.ErrorType = strconv.Itoa(status)
		return
	}
	c.ErrorType = semconv.ErrorTypeOther
	for _, v := range [...]any{e.Code, e.Status, e.Type} {
		if s, ok := v.(string); ok && s != "" && len(s) <= maxErrorType {
			c.ErrorType = s
			return
		}
	}
}

const (
	maxErrorType    = 128
	maxErrorMessage = 1024
)

// responseAttributes returns what the answer told, beside the content.
func (c *Call) responseAttributes() []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 10+len(c.response))
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, attribute.String(key, value))
		}
	}
	count := func(key string, n analysis.Opt[int64]) {
		if n.OK {
			attrs = append(attrs, attribute.Int64(key, n.V))
		}
	}
	text(semconv.GenAIResponseID, c.ResponseID)
	text(semconv.GenAIResponseModel, c.ResponseModel)
	if len(c.FinishReasons) > 0 {
		for i, reason := range c.FinishReasons {
			if reason == "" {
				c.FinishReasons[i] = "error" // Expected, and not there.
			}
		}
		attrs = append(attrs, attribute.StringSlice(semconv.GenAIFinishReasons, c.FinishReasons))
	}
	count(semconv.GenAIUsageInputTokens, c.Usage.Input)
	count(semconv.GenAIUsageOutputTokens, c.Usage.Output)
	count(semconv.GenAIUsageCacheReadTokens, c.Usage.CacheRead)
	count(semconv.GenAIUsageCacheWriteTokens, c.Usage.CacheWrite)
	count(semconv.GenAIUsageReasoningTokens, c.Usage.Reasoning)
	return append(attrs, c.response...)
}

// Sum adds counts; it is absent when the first is.
func Sum(first analysis.Opt[int64], more ...analysis.Opt[int64]) analysis.Opt[int64] {
	for _, n := range more {
		if first.OK {
			first.V += n.Or(0)
		}
	}
	return first
}
