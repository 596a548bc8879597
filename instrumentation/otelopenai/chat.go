package otelopenai

import (
	"bytes"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// chatReader reads chat completions, and completions, which have a text where
// the others have a message.
type chatReader struct {
	mode              capture.Mode
	tier, fingerprint string

	// Of a stream:
	pieces  pieces
	choices []choiceText
	size    int
}

func newChatReader(mode capture.Mode) genaihttp.Reader { return &chatReader{mode: mode} }

func (r *chatReader) RequestMembers() genaihttp.Select {
	keep := []string{
		"model", "max_tokens", "max_completion_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty",
		"stop", "seed", "n", "stream", "reasoning_effort", "response_format.type", "service_tier",
	}
	if r.mode != capture.None {
		keep = append(keep, "messages", "prompt", "tools")
	}
	return genaihttp.Select{Keep: keep, Enter: []string{"response_format"}}
}

func (r *chatReader) Request(call *genaihttp.Call, m *genaihttp.Members) {
	call.Model = m.String("model")
	if m.Raw("max_completion_tokens") != nil {
		call.CopyInt(semconv.GenAIRequestMaxTokens, m, "max_completion_tokens")
	} else {
		call.CopyInt(semconv.GenAIRequestMaxTokens, m, "max_tokens")
	}
	call.CopyFloat(semconv.GenAIRequestTemperature, m, "temperature")
	call.CopyFloat(semconv.GenAIRequestTopP, m, "top_p")
	call.CopyFloat(semconv.GenAIRequestFreqPenalty, m, "frequency_penalty")
	call.CopyFloat(semconv.GenAIRequestPresencePenalty, m, "presence_penalty")
	call.CopyTexts(semconv.GenAIRequestStopSequences, m, "stop")
	call.CopyInt(semconv.GenAIRequestSeed, m, "seed")
	var n int64
	if m.Decode("n", &n) && n != 1 {
		call.SetRequest(attribute.Int64(semconv.GenAIRequestChoiceCount, n))
	}
	call.CopyText(semconv.GenAIRequestReasoningLevel, m, "reasoning_effort")
	setCommon(call, m, m.String("response_format.type"))

	if m.TooLarge("messages") || m.TooLarge("prompt") {
		call.Input = genaihttp.TooLarge("user")
	}
	var messages []chatMessage
	if m.Decode("messages", &messages) {
		for _, message := range messages {
			call.Input = append(call.Input, message.message())
		}
	} else if prompt := m.String("prompt"); prompt != "" {
		call.Input = []genaihttp.Message{{Role: "user", Parts: []genaihttp.Part{genaihttp.Text(prompt)}}}
	}
	call.Tools = chatTools(m.Raw("tools"))
}

// setCommon sets what all the APIs ask in the same words.
func setCommon(call *genaihttp.Call, m *genaihttp.Members, format string) {
	if m.Decode("stream", &call.Streaming) && call.Streaming {
		call.SetRequest(attribute.Bool(semconv.GenAIRequestStream, true))
	}
	switch format {
	case "":
	case "json_object", "json_schema":
		call.SetRequest(attribute.String(semconv.GenAIOutputType, "json"))
	default:
		call.SetRequest(attribute.String(semconv.GenAIOutputType, format))
	}
	if tier := m.String("service_tier"); tier != "" && tier != "auto" {
		call.SetRequest(attribute.String(semconv.OpenAIRequestServiceTier, tier))
	}
}

// chatTools lifts the functions out of [{"type":"function","function":{…}}].
func chatTools(raw json.RawMessage) json.RawMessage {
	var tools []map[string]json.RawMessage
	if json.Unmarshal(raw, &tools) != nil {
		return nil
	}
	for i, tool := range tools {
		var function map[string]json.RawMessage
		if json.Unmarshal(tool["function"], &function) == nil && function != nil {
			function["type"] = tool["type"]
			tools[i] = function
		}
	}
	out, err := json.Marshal(tools)
	if err != nil {
		return nil
	}
	return out
}

func (r *chatReader) AnswerMembers(bool) genaihttp.Select {
	return genaihttp.Select{Keep: []string{"id", "model", "choices", "usage", "service_tier", "system_fingerprint", "error"}}
}

// choice is one of an answer.
type choice struct {
	Index        int         `json:"index"`
	FinishReason string      `json:"finish_reason"`
	Message      chatMessage `json:"message"`
	Delta        chatMessage `json:"delta"`
	Text         string      `json:"text"`
}

// closing is all of a choice that is read without capture.
type closing struct {
	Index        int    `json:"index"`
	FinishReason string `json:"finish_reason"`
}

func (r *chatReader) Answer(call *genaihttp.Call, m *genaihttp.Members) {
	r.common(call, m)
	ends(call, m)
	if r.mode == capture.None {
		return
	}
	var choices []choice
	if !m.Decode("choices", &choices) {
		return
	}
	for _, c := range choices {
		message := c.Message.message()
		if c.Text != "" {
			message.Parts = append(message.Parts, genaihttp.Text(c.Text))
		}
		if message.Role == "" {
			message.Role = "assistant"
		}
		message.FinishReason = c.FinishReason
		call.Output = append(call.Output, message)
	}
}

// common reads what answers and events have in common.
func (r *chatReader) common(call *genaihttp.Call, m *genaihttp.Members) {
	if call.ResponseID == "" {
		call.ResponseID = m.String("id")
	}
	if call.ResponseModel == "" {
		call.ResponseModel = m.String("model")
	}
	if m.Update("service_tier", &r.tier) {
		call.SetResponse(attribute.String(semconv.OpenAIResponseServiceTier, r.tier))
	}
	if m.Update("system_fingerprint", &r.fingerprint) {
		call.SetResponse(attribute.String(semconv.OpenAIResponseFingerprint, r.fingerprint))
	}
	if m.Has("usage") {
		var u usage
		if m.Decode("usage", &u) {
			call.Usage = u.counts()
		}
	}
}

// ends reads why choices ended.
func ends(call *genaihttp.Call, m *genaihttp.Members) {
	if !hasEnd(m.Raw("choices")) {
		return
	}
	var choices []closing
	if !m.Decode("choices", &choices) {
		return
	}
	for _, c := range choices {
		call.FinishReason(c.Index, c.FinishReason)
		call.Complete = call.Complete || c.FinishReason != ""
	}
}

// hasEnd reports whether a choice may have a finish reason that is not null;
// most pieces of a stream have none, and are not worth decoding.
func hasEnd(choices []byte) bool {
	const key = `"finish_reason"`
	for {
		i := bytes.Index(choices, []byte(key))
		if i < 0 {
			return false
		}
		choices = choices[i+len(key):]
		if value := bytes.TrimLeft(choices, ": \t\r\n"); !bytes.HasPrefix(value, []byte("null")) {
			return true
		}
	}
}

func quoted(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return b
}

// usage is the token counts of every API; each has its own words.
type usage struct {
	PromptTokens     analysis.Opt[int64] `json:"prompt_tokens"`
	CompletionTokens analysis.Opt[int64] `json:"completion_tokens"`
	PromptDetails    usageDetails        `json:"prompt_tokens_details"`
	OutputDetails    usageDetails        `json:"completion_tokens_details"`

	InputTokens       analysis.Opt[int64] `json:"input_tokens"`
	OutputTokens      analysis.Opt[int64] `json:"output_tokens"`
	InputDetails      usageDetails        `json:"input_tokens_details"`
	OutputTokenDetail usageDetails        `json:"output_tokens_details"`
}

type usageDetails struct {
	Cached     analysis.Opt[int64] `json:"cached_tokens"`
	CacheWrite analysis.Opt[int64] `json:"cache_write_tokens"`
	Reasoning  analysis.Opt[int64] `json:"reasoning_tokens"`
}

func (u *usage) counts() genaihttp.Usage {
	either := func(a, b analysis.Opt[int64]) analysis.Opt[int64] {
		if a.OK {
			return a
		}
		return b
	}
	return genaihttp.Usage{
		Input:      either(u.PromptTokens, u.InputTokens),
		Output:     either(u.CompletionTokens, u.OutputTokens),
		CacheRead:  either(u.PromptDetails.Cached, u.InputDetails.Cached),
		CacheWrite: either(u.PromptDetails.CacheWrite, u.InputDetails.CacheWrite),
		Reasoning:  either(u.OutputDetails.Reasoning, u.OutputTokenDetail.Reasoning),
	}
}
