package genaihttp

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
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
	return []Message{{Role: role, Parts: []Part{{Type: PartText, Content: "[cut: more than 1 MiB]", cut: true}}}}
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

	cut bool // it stands for content that was not read
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

// contentAttributes returns the messages as the policy lets them.
func contentAttributes(p *capture.Policy, call *Call, answered bool) []attribute.KeyValue {
	if p.Mode == capture.None {
		return nil
	}
	var attrs []attribute.KeyValue
	add := func(key string, n int, value func(*writer) any) {
		if n > 0 {
			kv, dropped := contentAttribute(p, key, value)
			if dropped {
				call.dropped = append(call.dropped, key)
			} else if kv.Valid() {
				attrs = append(attrs, kv)
			}
		}
	}
	if answered {
		// Of a response that was made before; else they were told before it came.
		add(semconv.GenAISystemInstruction, len(call.System), func(w *writer) any { return w.parts(call.System) })
		add(semconv.GenAIToolDefinitions, len(call.Tools), func(w *writer) any { return w.value(call.Tools) })
		add(semconv.GenAIOutputMessages, len(call.Output), func(w *writer) any {
			w.unknown = call.OutputCut
			return w.messages(call.Output)
		})
	} else {
		add(semconv.GenAISystemInstruction, len(call.System), func(w *writer) any { return w.parts(call.System) })
		add(semconv.GenAIInputMessages, len(call.Input), func(w *writer) any { return w.messages(call.Input) })
		add(semconv.GenAIToolDefinitions, len(call.Tools), func(w *writer) any { return w.value(call.Tools) })
	}
	return append(attrs, Dropped(call.dropped)...)
}

// Data returns an attribute with JSON as the policy lets it. dropped says that a
// redactor failed.
func Data(p *capture.Policy, key string, raw json.RawMessage) (kv attribute.KeyValue, dropped bool) {
	if p.Mode == capture.None || len(raw) == 0 {
		return kv, false
	}
	return contentAttribute(p, key, func(w *writer) any { return w.value(raw) })
}

// Dropped returns the attribute that names those whose content a redactor
// failed on, if any.
func Dropped(keys []string) []attribute.KeyValue {
	if len(keys) == 0 {
		return nil
	}
	return []attribute.KeyValue{attribute.StringSlice(semconv.ContentDropped, keys)}
}

// ErrorText returns what the redactors leave of the text of an error, which may
// quote content. dropped says that one failed.
func ErrorText(p *capture.Policy, s string) (_ string, dropped bool) {
	if s == "" {
		return "", false
	}
	redacted, err := p.Redact(semconv.ExceptionMessage, "", s)
	if err != nil {
		p.Fail(err)
		return "", true
	}
	return cut(redacted, maxErrorMessage), false
}

// contentAttribute returns the attribute of a piece of content, or in mode
// metadata that of its length; none when there is nothing to tell.
func contentAttribute(p *capture.Policy, key string, value func(*writer) any) (kv attribute.KeyValue, dropped bool) {
	w := &writer{policy: p, attribute: key, left: maxContent}
	if p.MaxBytes > 0 {
		w.left = min(w.left, p.MaxBytes)
	}
	if p.Mode == capture.Metadata {
		w.policy, w.left = &capture.Policy{}, math.MaxInt // its length as it is
	}
	raw, err := capture.EncodeJSON(value(w))
	switch {
	case w.err != nil:
		p.Fail(w.err)
		return kv, true
	case err != nil || raw == nil:
		return kv, false
	case p.Mode == capture.Full:
		return attribute.String(key, string(raw)), false
	case w.unknown:
		return kv, false
	}
	return attribute.Int(key+semconv.BytesSuffix, len(raw)), false
}

// writer turns messages into the JSON of one attribute.
type writer struct {
	policy    *capture.Policy
	attribute string
	left      int   // of the bound
	unknown   bool  // the content is not all there
	err       error // of a redactor
}

type messageJSON struct {
	Role         string           `json:"role"`
	Parts        []map[string]any `json:"parts"`
	Name         string           `json:"name,omitempty"`
	FinishReason string           `json:"finish_reason,omitempty"`
}

func (w *writer) messages(messages []Message) []messageJSON {
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
	w.unknown = w.unknown || p.cut
	for key, value := range map[string]string{"id": p.ID, "name": p.Name, "modality": p.Modality, "mime_type": p.MimeType} {
		if value != "" {
			m[key] = value
		}
	}
	switch p.Type {
	case PartToolCall:
		w.data(m, "arguments", p.Data)
	case PartToolResponse:
		w.data(m, "response", p.Data)
	case PartFile:
		m["file_id"] = w.text("file_id", p.Where)
	case PartURI:
		m["uri"] = w.text("uri", p.Where)
	case PartBlob:
		if m["content"] = p.Content; len(p.Content) > min(maxBlob, w.left) {
			m["content"] = fmt.Sprintf("[cut: %d bytes]", len(p.Content))
		}
	case PartServerToolCall, PartServerToolResponse:
		inner := map[string]any{"type": p.Name}
		w.data(inner, "data", p.Data)
		m[p.Type] = inner
	case PartText, PartReasoning:
		m["content"] = w.text("content", p.Content)
	}
	return m
}

func (w *writer) data(m map[string]any, key string, data json.RawMessage) {
	if len(data) > 0 {
		m[key] = w.value(data)
	}
}

// value returns JSON with its strings redacted, or what is no JSON, or too much
// of it, as a text.
func (w *writer) value(raw json.RawMessage) any {
	if len(raw) > w.left || !json.Valid(raw) {
		return w.text("", string(raw))
	}
	if len(w.policy.Redactors) > 0 {
		var err error
		if raw, err = capture.RedactJSON(raw, w.redact); err != nil {
			w.err = err
			return nil
		}
		if len(raw) > w.left {
			return w.cut(string(raw))
		}
	}
	w.left -= len(raw)
	return raw
}

// text redacts and cuts.
func (w *writer) text(key, s string) string {
	redacted, err := w.redact(key, s)
	if err != nil {
		w.err = err
		return ""
	}
	return w.cut(redacted)
}

func (w *writer) redact(key, s string) (string, error) {
	if w.err != nil || len(w.policy.Redactors) == 0 {
		return s, w.err
	}
	return w.policy.Redact(w.attribute, key, s)
}

func (w *writer) cut(s string) string {
	s = cut(s, max(w.left, 0))
	w.left -= len(s)
	return s
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
