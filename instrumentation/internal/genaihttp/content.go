package genaihttp

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/semconv"
)

// Message is one of gen_ai.input.messages or gen_ai.output.messages.
type Message struct {
	Role  string `json:"role"`
	Parts []Part `json:"parts"`
	Name  string `json:"name,omitempty"`
	// FinishReason belongs to output messages only.
	FinishReason string `json:"finish_reason,omitempty"`
}

// TooLarge stands for messages of more than a MiB of JSON.
func TooLarge(role string) []Message {
	return []Message{{Role: role, Parts: []Part{Text("[cut: more than 1 MiB]")}}}
}

// Part is a part of a message. Its Type decides which fields it has.
type Part struct {
	Type string
	// Content is the text of text and reasoning, the base64 of a blob.
	Content string
	// ID and Name are those of a tool call; Data its arguments or its result.
	ID, Name string
	Data     json.RawMessage
	// Modality, MimeType and Where describe a blob, a file id or a URI.
	Modality, MimeType, Where string
}

// Types of parts.
const (
	PartText         = "text"
	PartReasoning    = "reasoning"
	PartToolCall     = "tool_call"
	PartToolResponse = "tool_call_response"
	PartBlob         = "blob"
	PartFile         = "file"
	PartURI          = "uri"
	// What the provider ran itself.
	PartServerToolCall     = "server_tool_call"
	PartServerToolResponse = "server_tool_call_response"
)

// Text returns a part of text.
func Text(s string) Part { return Part{Type: PartText, Content: s} }

// ToolCall returns the part of a call that the model asks for. Arguments that
// are the JSON of a string hold what the string says.
func ToolCall(id, name string, arguments json.RawMessage) Part {
	return Part{Type: PartToolCall, ID: id, Name: name, Data: unquoted(arguments)}
}

// ToolResponse returns the part of a tool's result.
func ToolResponse(id string, result json.RawMessage) Part {
	return Part{Type: PartToolResponse, ID: id, Data: unquoted(result)}
}

// Link returns the part of a URL: a data URL is a blob.
func Link(modality, url string) Part {
	if head, data, ok := strings.Cut(url, ","); ok && strings.HasPrefix(head, "data:") {
		mime, _, _ := strings.Cut(strings.TrimPrefix(head, "data:"), ";")
		return Part{Type: PartBlob, Modality: modality, MimeType: mime, Content: data}
	}
	return Part{Type: PartURI, Modality: modality, Where: url}
}

// unquoted returns the JSON that a string of JSON holds, else raw.
func unquoted(raw json.RawMessage) json.RawMessage {
	var s string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil && json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return raw
}

const (
	// maxContent bounds the content of one attribute, maxBlob a blob in it.
	maxContent = 256 << 10
	maxBlob    = 16 << 10
)

// writer turns messages into the JSON of an attribute.
type writer struct {
	capture Capture
	redact  func(string) string
	left    int // of maxContent
}

// contentAttributes returns the messages as the capture mode lets them.
func (c *Config) contentAttributes(call *Call, answered bool) []attribute.KeyValue {
	if c.Capture == CaptureNone {
		return nil
	}
	var attrs []attribute.KeyValue
	add := func(key string, v any, n int) {
		if n == 0 {
			return
		}
		if b, err := json.Marshal(v); err == nil {
			attrs = append(attrs, attribute.String(key, string(b)))
		}
	}
	if answered {
		add(semconv.GenAIOutputMessages, c.messages(call.Output), len(call.Output))
		return attrs
	}
	w := writer{c.Capture, c.Redact, maxContent}
	add(semconv.GenAISystemInstruction, w.parts(call.System), len(call.System))
	add(semconv.GenAIInputMessages, c.messages(call.Input), len(call.Input))
	if c.Capture == CaptureFull && len(call.Tools) > 0 {
		if text, ok := w.text(string(call.Tools)); ok && json.Valid([]byte(text)) {
			attrs = append(attrs, attribute.String(semconv.GenAIToolDefinitions, text))
		}
	}
	return attrs
}

// Data returns JSON as an attribute may hold it; false when the capture mode or
// a panic of the redactor leaves it out.
func (c *Config) Data(raw json.RawMessage) (string, bool) {
	if c.Capture != CaptureFull || len(raw) == 0 {
		return "", false
	}
	w := writer{c.Capture, c.Redact, maxContent}
	return w.text(string(raw))
}

type messageJSON struct {
	Role         string           `json:"role"`
	Parts        []map[string]any `json:"parts"`
	Name         string           `json:"name,omitempty"`
	FinishReason string           `json:"finish_reason,omitempty"`
}

func (c *Config) messages(messages []Message) []messageJSON {
	w := writer{c.Capture, c.Redact, maxContent}
	out := make([]messageJSON, len(messages))
	for i, m := range messages {
		out[i] = messageJSON{m.Role, w.parts(m.Parts), m.Name, m.FinishReason}
	}
	return out
}

func (w *writer) parts(parts []Part) []map[string]any {
	out := make([]map[string]any, 0, len(parts))
	for i := range parts {
		out = append(out, w.part(&parts[i]))
	}
	return out
}

func (w *writer) part(p *Part) map[string]any {
	m := map[string]any{"type": p.Type}
	for key, value := range map[string]string{"id": p.ID, "name": p.Name, "modality": p.Modality, "mime_type": p.MimeType} {
		if value != "" {
			m[key] = value
		}
	}
	if w.capture != CaptureFull {
		return m
	}
	switch p.Type {
	case PartToolCall:
		w.data(m, "arguments", p.Data)
	case PartToolResponse:
		w.data(m, "response", p.Data)
	case PartFile:
		w.set(m, "file_id", p.Where)
	case PartURI:
		w.set(m, "uri", p.Where)
	case PartBlob:
		if len(p.Content) > maxBlob {
			m["content"] = fmt.Sprintf("[cut: %d bytes]", len(p.Content))
		} else {
			w.set(m, "content", p.Content)
		}
	case PartServerToolCall, PartServerToolResponse:
		m[p.Type] = map[string]any{"type": p.Name}
		w.data(m[p.Type].(map[string]any), "data", p.Data)
	case PartText, PartReasoning:
		w.set(m, "content", p.Content)
	}
	return m
}

func (w *writer) set(m map[string]any, key, value string) {
	if text, ok := w.text(value); ok {
		m[key] = text
	}
}

func (w *writer) data(m map[string]any, key string, data json.RawMessage) {
	if len(data) == 0 {
		return
	}
	text, ok := w.text(string(data))
	switch {
	case !ok:
	case json.Valid([]byte(text)):
		m[key] = json.RawMessage(text)
	default:
		m[key] = text
	}
}

// text redacts and cuts. It returns false when the redactor panicked.
func (w *writer) text(s string) (out string, ok bool) {
	if w.redact != nil {
		defer func() {
			if recover() != nil {
				out, ok = "", false
			}
		}()
		s = w.redact(s)
	}
	s = cut(s, max(w.left, 0))
	w.left -= len(s)
	return s, true
}

// cut returns s up to n bytes, with a mark of how much is missing.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s[cut: %d bytes]", s[:n], len(s)-n)
}
