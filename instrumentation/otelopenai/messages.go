package otelopenai

import (
	"encoding/json"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// chatMessage is a message of the chat completions API, or a piece of one.
type chatMessage struct {
	Role       string          `json:"role"`
	Name       string          `json:"name"`
	Content    json.RawMessage `json:"content"`
	Refusal    string          `json:"refusal"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		Index    int    `json:"index"`
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
		Custom struct {
			Name  string `json:"name"`
			Input string `json:"input"`
		} `json:"custom"`
	} `json:"tool_calls"`
	// Servers other than OpenAI's send what the model thought.
	ReasoningContent string `json:"reasoning_content"`
	Reasoning        any    `json:"reasoning"`
}

func (m *chatMessage) text() string {
	var s string
	_ = json.Unmarshal(m.Content, &s)
	return s
}

func (m *chatMessage) reasoning() string {
	if m.ReasoningContent != "" {
		return m.ReasoningContent
	}
	s, _ := m.Reasoning.(string)
	return s
}

// message returns it as the convention writes messages.
func (m *chatMessage) message() genaihttp.Message {
	out := genaihttp.Message{Role: m.Role, Name: m.Name}
	if m.Role == "tool" || m.Role == "function" {
		out.Role = "tool"
		out.Parts = []genaihttp.Part{genaihttp.ToolResponse(m.ToolCallID, m.Content)}
		return out
	}
	if s := m.reasoning(); s != "" {
		out.Parts = append(out.Parts, genaihttp.Part{Type: genaihttp.PartReasoning, Content: s})
	}
	if len(m.Content) > 0 && m.Content[0] == '[' {
		out.Parts = append(out.Parts, contentParts(m.Content)...)
	} else if s := m.text(); s != "" {
		out.Parts = append(out.Parts, genaihttp.Text(s))
	}
	if m.Refusal != "" {
		out.Parts = append(out.Parts, genaihttp.Text(m.Refusal))
	}
	for _, call := range m.ToolCalls {
		name, arguments := call.Function.Name, call.Function.Arguments
		if name == "" {
			name, arguments = call.Custom.Name, call.Custom.Input
		}
		out.Parts = append(out.Parts, genaihttp.ToolCall(call.ID, name, quoted(arguments)))
	}
	return out
}

// contentParts reads a list of parts as both APIs write them.
func contentParts(raw json.RawMessage) []genaihttp.Part {
	var parts []struct {
		Type       string          `json:"type"`
		Text       string          `json:"text"`
		Refusal    string          `json:"refusal"`
		ImageURL   json.RawMessage `json:"image_url"`
		InputAudio struct {
			Data   string `json:"data"`
			Format string `json:"format"`
		} `json:"input_audio"`
		File struct {
			FileID   string `json:"file_id"`
			FileData string `json:"file_data"`
		} `json:"file"`
		FileID   string `json:"file_id"`
		FileData string `json:"file_data"`
		FileURL  string `json:"file_url"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return nil
	}
	out := make([]genaihttp.Part, 0, len(parts))
	for _, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text", "summary_text", "reasoning_text":
			out = append(out, genaihttp.Text(p.Text))
		case "refusal":
			out = append(out, genaihttp.Text(p.Refusal))
		case "image_url", "input_image":
			out = append(out, imagePart(p.ImageURL, p.FileID))
		case "input_audio":
			out = append(out, genaihttp.Part{
				Type: genaihttp.PartBlob, Modality: "audio", MimeType: "audio/" + p.InputAudio.Format, Content: p.InputAudio.Data,
			})
		case "file", "input_file":
			out = append(out, filePart(p.File.FileID+p.FileID, p.File.FileData+p.FileData, p.FileURL))
		default:
			out = append(out, genaihttp.Part{Type: p.Type})
		}
	}
	return out
}

func imagePart(url json.RawMessage, fileID string) genaihttp.Part {
	var s string
	var o struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(url, &s) != nil && json.Unmarshal(url, &o) == nil {
		s = o.URL
	}
	if s == "" {
		return genaihttp.Part{Type: genaihttp.PartFile, Modality: "image", Where: fileID}
	}
	return genaihttp.Link("image", s)
}

func filePart(id, data, url string) genaihttp.Part {
	switch {
	case id != "":
		return genaihttp.Part{Type: genaihttp.PartFile, Modality: "document", Where: id}
	case data != "":
		return genaihttp.Link("document", data)
	default:
		return genaihttp.Link("document", url)
	}
}
