package otelopenai

import (
	"bytes"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// responsesReader reads the responses API. The last event of a stream holds the
// whole response.
type responsesReader struct {
	mode capture.Mode
}

func newResponsesReader(mode capture.Mode) genaihttp.Reader {
	return &responsesReader{mode: mode}
}

func (r *responsesReader) RequestMembers() genaihttp.Select {
	keep := []string{
		"model", "max_output_tokens", "temperature", "top_p", "stream", "reasoning.effort", "text.format.type",
		"service_tier", "previous_response_id", "conversation", "conversation.id",
	}
	if r.mode != capture.None {
		keep = append(keep, "instructions", "input", "tools")
	}
	return genaihttp.Select{Keep: keep, Enter: []string{"reasoning", "text", "text.format", "conversation"}}
}

func (r *responsesReader) Request(call *genaihttp.Call, m *genaihttp.Members) {
	call.Model = m.String("model")
	call.CopyInt(semconv.GenAIRequestMaxTokens, m, "max_output_tokens")
	call.CopyFloat(semconv.GenAIRequestTemperature, m, "temperature")
	call.CopyFloat(semconv.GenAIRequestTopP, m, "top_p")
	call.CopyText(semconv.GenAIRequestReasoningLevel, m, "reasoning.effort")
	call.CopyText(semconv.GenAIRequestPreviousResponse, m, "previous_response_id")
	call.CopyText(semconv.GenAIConversationID, m, "conversation")
	call.CopyText(semconv.GenAIConversationID, m, "conversation.id")
	setCommon(call, m, m.String("text.format.type"))

	if s := m.String("instructions"); s != "" {
		call.System = []genaihttp.Part{genaihttp.Text(s)}
	}
	if m.TooLarge("input") {
		call.Input = genaihttp.TooLarge("user")
	}
	if s := m.String("input"); s != "" {
		call.Input = []genaihttp.Message{{Role: "user", Parts: []genaihttp.Part{genaihttp.Text(s)}}}
	} else if raw := m.Raw("input"); raw != nil {
		call.Input = itemMessages(raw, "user")
	}
	if raw := m.Raw("tools"); raw != nil {
		call.Tools = append(json.RawMessage(nil), raw...)
	}
}

// responseMembers are those of a response object.
var responseMembers = []string{"id", "model", "status", "usage", "service_tier", "incomplete_details.reason", "error", "output"}

func (r *responsesReader) AnswerMembers(stream bool) genaihttp.Select {
	if !stream {
		return genaihttp.Select{Keep: responseMembers, Enter: []string{"incomplete_details"}}
	}
	keep := []string{"type", "code", "message", "error"}
	for _, name := range responseMembers {
		keep = append(keep, "response."+name)
	}
	return genaihttp.Select{Keep: keep, Enter: []string{"response", "response.incomplete_details"}}
}

func (r *responsesReader) Answer(call *genaihttp.Call, m *genaihttp.Members) { r.response(call, m, "") }

func (r *responsesReader) Event(call *genaihttp.Call, event string, m *genaihttp.Members) {
	switch kind(event, m) {
	case "response.created", "response.queued", "response.in_progress":
		call.ResponseID = m.String("response.id")
		call.ResponseModel = m.String("response.model")
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		call.Complete = true
		r.response(call, m, "response.")
	case "error":
		failure := m.Raw("error")
		if failure == nil {
			failure, _ = json.Marshal(map[string]string{"code": m.String("code"), "message": m.String("message")})
		}
		call.Fail(failure, 0)
	}
}

// kind returns what an event says that it is, which its name says mostly too.
func kind(event string, m *genaihttp.Members) string {
	if !m.Is("type", event) {
		if kind := m.String("type"); kind != "" {
			return kind
		}
	}
	return event
}

// response reads a response object whose members begin with prefix.
func (r *responsesReader) response(call *genaihttp.Call, m *genaihttp.Members, prefix string) {
	call.ResponseID = m.String(prefix + "id")
	call.ResponseModel = m.String(prefix + "model")
	if tier := m.String(prefix + "service_tier"); tier != "" {
		call.SetResponse(attribute.String(semconv.OpenAIResponseServiceTier, tier))
	}
	var u usage
	if m.Decode(prefix+"usage", &u) {
		call.Usage = u.counts()
	}
	status := m.String(prefix + "status")
	if raw := m.Raw(prefix + "error"); raw != nil && string(raw) != "null" {
		call.Fail(raw, 0)
	} else if status == "failed" {
		call.ErrorType = semconv.ErrorTypeOther
	}
	output := m.Raw(prefix + "output")
	call.FinishReason(0, finishReason(status, m.String(prefix+"incomplete_details.reason"), output))
	if r.mode == capture.None {
		return
	}
	if m.TooLarge(prefix + "output") {
		call.Output = genaihttp.TooLarge("assistant")
	} else if output != nil {
		call.Output = itemMessages(output, "assistant")
	}
}

// finishReason translates a response's status into the words of the convention;
// empty while it is not finished.
func finishReason(status, incomplete string, output json.RawMessage) string {
	switch status {
	case "completed":
		if callsNothing(output) {
			return "stop"
		}
		var items []struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal(output, &items)
		for _, item := range items {
			if item.Type == "function_call" || item.Type == "custom_tool_call" {
				return "tool_calls"
			}
		}
		return "stop"
	case "incomplete":
		if incomplete == "max_output_tokens" {
			return "length"
		}
		return incomplete
	case "failed":
		return "error"
	case "cancelled":
		return "cancelled"
	default:
		return ""
	}
}

// callsNothing says so of most outputs without decoding them: nothing in them
// looks like the type of a call, nor may be one behind escapes.
func callsNothing(output []byte) bool {
	return !bytes.Contains(output, []byte("_call")) && !bytes.Contains(output, []byte(`\u`))
}

// itemMessages reads the items of an input or an output. Consecutive items of
// the model make one message.
func itemMessages(raw json.RawMessage, role string) []genaihttp.Message {
	var items []struct {
		Type      string          `json:"type"`
		Role      string          `json:"role"`
		Content   json.RawMessage `json:"content"`
		Summary   json.RawMessage `json:"summary"`
		CallID    string          `json:"call_id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Input     json.RawMessage `json:"input"`
		Output    json.RawMessage `json:"output"`
	}
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	var out []genaihttp.Message
	add := func(role string, parts ...genaihttp.Part) {
		if n := len(out); n > 0 && out[n-1].Role == role && role == "assistant" {
			out[n-1].Parts = append(out[n-1].Parts, parts...)
			return
		}
		out = append(out, genaihttp.Message{Role: role, Parts: parts})
	}
	for _, item := range items {
		switch item.Type {
		case "", "message":
			if item.Role == "" {
				item.Role = role
			}
			var s string
			if len(item.Content) > 0 && item.Content[0] != '[' && json.Unmarshal(item.Content, &s) == nil {
				add(item.Role, genaihttp.Text(s))
			} else {
				add(item.Role, contentParts(item.Content)...)
			}
		case "function_call":
			add("assistant", genaihttp.ToolCall(item.CallID, item.Name, item.Arguments))
		case "custom_tool_call":
			add("assistant", genaihttp.ToolCall(item.CallID, item.Name, item.Input))
		case "function_call_output", "custom_tool_call_output":
			add("tool", genaihttp.ToolResponse(item.CallID, item.Output))
		case "reasoning":
			for _, p := range contentParts(item.Summary) {
				p.Type = genaihttp.PartReasoning
				add("assistant", p)
			}
		default:
			add("assistant", genaihttp.Part{Type: item.Type})
		}
	}
	return out
}
