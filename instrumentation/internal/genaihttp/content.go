package genaihttp

import (
	"bytes"
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

// writer turns messages into the JSON of one attribute.
type writer struct {
	config    *Config
	attribute string
	left      int  // of maxContent
	dropped   bool // the redactor failed
}

func (c *Config) writer(attribute string) *writer {
	return &writer{config: c, attribute: attribute, left: maxContent}
}

// contentAttributes returns the messages as the capture mode lets them.
func (c *Config) contentAttributes(call *Call, answered bool) []attribute.KeyValue {
	if c.Capture == CaptureNone {
		return nil
	}
	var attrs []attribute.KeyValue
	add := func(key string, n int, value func(*writer) any) {
		if n == 0 {
			return
		}
		w := c.writer(key)
		b, err := json.Marshal(value(w))
		switch {
		case w.dropped:
			call.dropped = append(call.dropped, key)
		case err == nil:
			attrs = append(attrs, attribute.String(key, string(b)))
		}
	}
	if answered {
		add(semconv.GenAIOutputMessages, len(call.Output), func(w *writer) any { return w.messages(call.Output) })
	} else {
		add(semconv.GenAISystemInstruction, len(call.System), func(w *writer) any { return w.parts(call.System) })
		add(semconv.GenAIInputMessages, len(call.Input), func(w *writer) any { return w.messages(call.Input) })
		if c.Capture == CaptureFull {
			add(semconv.GenAIToolDefinitions, len(call.Tools), func(w *writer) any { return w.value(call.Tools) })
		}
	}
	if call.dropped != nil {
		attrs = append(attrs, attribute.StringSlice(semconv.ContentDropped, call.dropped))
	}
	return attrs
}

// Data returns an attribute with JSON as the capture mode and the redactor let
// it, none when they do not.
func (c *Config) Data(key string, raw json.RawMessage) []attribute.KeyValue {
	if c.Capture != CaptureFull || len(raw) == 0 {
		return nil
	}
	w := c.writer(key)
	b, err := json.Marshal(w.value(raw))
	switch {
	case w.dropped:
		return []attribute.KeyValue{attribute.StringSlice(semconv.ContentDropped, []string{key})}
	case err != nil:
		return nil
	}
	return []attribute.KeyValue{attribute.String(key, string(b))}
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
	for key, value := range map[string]string{"id": p.ID, "name": p.Name, "modality": p.Modality, "mime_type": p.MimeType} {
		if value != "" {
			m[key] = value
		}
	}
	if w.config.Capture != CaptureFull {
		return m
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
		if m["content"] = p.Content; len(p.Content) > maxBlob {
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
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if len(raw) > w.left || d.Decode(&v) != nil || d.More() {
		return w.text("", string(raw))
	}
	if w.config.Redact == nil {
		w.left -= len(raw)
		return raw
	}
	return w.walk("", v)
}

func (w *writer) walk(key string, v any) any {
	switch v := v.(type) {
	case string:
		return w.text(key, v)
	case json.Number:
		if text := w.text(key, v.String()); text != v.String() {
			return text
		}
	case []any:
		for i := range v {
			v[i] = w.walk(key, v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[w.text("", name)] = w.walk(name, member)
		}
		return out
	}
	return v
}

// text redacts and cuts.
func (w *writer) text(key, s string) string {
	if redact := w.config.Redact; redact != nil && !w.dropped {
		func() {
			defer func() { w.dropped = recover() != nil || w.dropped }()
			text, err := redact(w.attribute, key, s)
			s, w.dropped = text, err != nil
		}()
	}
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
