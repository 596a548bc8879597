package otelanthropic

import (
	"encoding/json"
	"strings"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// block is a content block of a request or an answer.
type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Thinking  string          `json:"thinking"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	Source    struct {
		Type      string `json:"type"`
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
		URL       string `json:"url"`
		FileID    string `json:"file_id"`
	} `json:"source"`
}

// parts reads a text or a list of blocks.
func parts(raw json.RawMessage) []genaihttp.Part {
	if len(raw) == 0 {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return nil
		}
		return []genaihttp.Part{genaihttp.Text(text)}
	}
	var blocks []block
	if json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	out := make([]genaihttp.Part, len(blocks))
	for i := range blocks {
		out[i] = blocks[i].part()
	}
	return out
}

func (b *block) part() genaihttp.Part {
	switch {
	case b.Type == "text":
		return genaihttp.Text(b.Text)
	case b.Type == "thinking":
		return genaihttp.Part{Type: genaihttp.PartReasoning, Content: b.Thinking}
	case b.Type == "tool_use":
		return genaihttp.ToolCall(b.ID, b.Name, b.Input)
	case b.Type == "tool_result":
		return genaihttp.ToolResponse(b.ToolUseID, b.Content)
	case b.Type == "server_tool_use":
		return genaihttp.Part{Type: genaihttp.PartServerToolCall, ID: b.ID, Name: b.Name, Data: b.Input}
	case strings.HasSuffix(b.Type, "_tool_result"):
		name := strings.TrimSuffix(b.Type, "_tool_result")
		return genaihttp.Part{Type: genaihttp.PartServerToolResponse, ID: b.ToolUseID, Name: name, Data: b.Content}
	case b.Type == "image" || b.Type == "document":
		return b.source()
	default:
		return genaihttp.Part{Type: b.Type}
	}
}

func (b *block) source() genaihttp.Part {
	switch b.Source.Type {
	case "url":
		return genaihttp.Part{Type: genaihttp.PartURI, Modality: b.Type, Where: b.Source.URL}
	case "file":
		return genaihttp.Part{Type: genaihttp.PartFile, Modality: b.Type, Where: b.Source.FileID}
	case "text":
		return genaihttp.Text(b.Source.Data)
	default:
		return genaihttp.Part{Type: genaihttp.PartBlob, Modality: b.Type, MimeType: b.Source.MediaType, Content: b.Source.Data}
	}
}
