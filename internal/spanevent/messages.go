package spanevent

import "encoding/json"

// messagesOf turns the content of an event into the convention's list of
// messages with parts. It knows text, lists of messages as OpenAI, Anthropic,
// Google, Vercel and OpenInference write them, and objects that hold such a
// list; of anything else it makes one message with the JSON as its text. It
// returns nil for no content.
func messagesOf(content json.RawMessage, key, role string) json.RawMessage {
	if content == nil {
		return nil
	}
	var v any
	if json.Unmarshal(content, &v) != nil {
		return nil
	}
	// What is not an object is kept under a key of the event's own.
	if m, ok := v.(map[string]any); ok && len(m) == 1 && m[key] != nil {
		v = m[key]
	}
	list := messageList(v)
	if list == nil {
		list = []any{v}
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		out = append(out, oneMessage(item, role))
	}
	return encode(out)
}

// messageList finds the list of messages in a request or an answer.
func messageList(v any) []any {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			if inner, ok := v[0].([]any); ok {
				return inner
			}
		}
		return v
	case map[string]any:
		for _, key := range [...]string{"messages", "contents", "choices", "generations", "candidates"} {
			if list, ok := v[key].([]any); ok {
				return messageList(list)
			}
		}
	}
	return nil
}

func oneMessage(v any, role string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]any{"role": role, "parts": partsOf(v)}
	}
	if inner, ok := m["message"].(map[string]any); ok {
		m = inner
	}
	if r, ok := m["role"].(string); ok && r != "" {
		role = r
	}
	out := map[string]any{"role": role}
	if name, ok := m["name"].(string); ok {
		out["name"] = name
	}
	var parts []any
	switch {
	case m["parts"] != nil:
		parts = partsOf(m["parts"])
	case role == "tool" && m["content"] != nil:
		part := map[string]any{"type": "tool_call_response", "response": m["content"]}
		if id, ok := m["tool_call_id"].(string); ok {
			part["id"] = id
		}
		parts = []any{part}
	case m["content"] != nil:
		parts = partsOf(m["content"])
	case m["contents"] != nil:
		parts = partsOf(m["contents"])
	case m["text"] != nil:
		parts = partsOf(m["text"])
	case m["tool_calls"] == nil:
		parts = partsOf(encodedText(m))
	}
	if calls, ok := m["tool_calls"].([]any); ok {
		for _, call := range calls {
			parts = append(parts, toolCallPart(call))
		}
	}
	if parts == nil {
		parts = []any{}
	}
	out["parts"] = parts
	return out
}

// partsOf turns the content of a message into parts.
func partsOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []any{map[string]any{"type": "text", "content": v}}
	case []any:
		var parts []any
		for _, item := range v {
			parts = append(parts, onePart(item))
		}
		return parts
	default:
		return []any{onePart(v)}
	}
}

func onePart(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]any{"type": "text", "content": encodedText(v)}
	}
	if inner, ok := m["message_content"].(map[string]any); ok {
		m = inner
	}
	if m["type"] != nil && (m["content"] != nil || m["response"] != nil) && m["tool_use_id"] == nil {
		return m
	}
	if text, ok := m["text"].(string); ok {
		return map[string]any{"type": "text", "content": text}
	}
	for _, key := range [...]string{"functionCall", "function_call", "tool_call", "toolUse", "toolRequest"} {
		if call, ok := m[key].(map[string]any); ok {
			return toolCallPart(call)
		}
	}
	for _, key := range [...]string{"functionResponse", "function_response", "toolResult", "toolResponse"} {
		if answer, ok := m[key].(map[string]any); ok {
			return toolAnswerPart(answer)
		}
	}
	switch m["type"] {
	case "tool_use", "tool-call", "tool_call", "toolUse":
		return toolCallPart(m)
	case "tool_result", "tool-result", "toolResult":
		return toolAnswerPart(m)
	}
	return map[string]any{"type": "text", "content": encodedText(m)}
}

func toolCallPart(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]any{"type": "text", "content": encodedText(v)}
	}
	if inner, ok := m["tool_call"].(map[string]any); ok {
		m = inner
	}
	part := map[string]any{"type": "tool_call"}
	if id := firstText(m, "id", "toolCallId", "toolUseId", "tool_use_id", "ref"); id != "" {
		part["id"] = id
	}
	if function, ok := m["function"].(map[string]any); ok {
		m = function
	}
	part["name"] = firstText(m, "name", "toolName")
	for _, key := range [...]string{"arguments", "args", "input"} {
		if args, ok := m[key]; ok {
			if text, isText := args.(string); isText {
				if decoded, err := decodeJSON(text); err == nil {
					args = decoded
				}
			}
			part["arguments"] = args
			break
		}
	}
	return part
}

func toolAnswerPart(m map[string]any) any {
	part := map[string]any{"type": "tool_call_response"}
	if id := firstText(m, "id", "tool_use_id", "toolUseId", "toolCallId", "ref"); id != "" {
		part["id"] = id
	}
	part["response"] = nil
	for _, key := range [...]string{"response", "content", "output", "result"} {
		if answer, ok := m[key]; ok {
			part["response"] = answer
			break
		}
	}
	return part
}

func firstText(m map[string]any, keys ...string) string {
	for _, key := range keys {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

func encodedText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(encode(v))
}
