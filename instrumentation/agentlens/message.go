package agentlens

// Message is one message of a conversation with a model, as the GenAI
// convention writes it into gen_ai.input.messages and gen_ai.output.messages.
type Message struct {
	// Role is "system", "user", "assistant", "tool" or the provider's own.
	Role  string `json:"role"`
	Parts []Part `json:"parts"`
	Name  string `json:"name,omitempty"`
}

// Part is a part of a message. The functions below make the common ones; for
// others set what the convention has for their type.
type Part struct {
	// Type is "text", "reasoning", "tool_call", "tool_call_response", "blob",
	// "file" or "uri".
	Type    string `json:"type"`
	Content string `json:"content,omitempty"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	// Arguments and Response are anything that encoding/json takes.
	Arguments any    `json:"arguments,omitempty"`
	Response  any    `json:"response,omitempty"`
	Modality  string `json:"modality,omitempty"`
	MIMEType  string `json:"mime_type,omitempty"`
	FileID    string `json:"file_id,omitempty"`
	URI       string `json:"uri,omitempty"`
}

// TextMessage returns a message of one text.
func TextMessage(role, content string) Message {
	return Message{Role: role, Parts: []Part{Text(content)}}
}

// Text returns a part that is text.
func Text(content string) Part { return Part{Type: "text", Content: content} }

// ReasoningPart returns a part that is a model's reasoning.
func ReasoningPart(content string) Part { return Part{Type: "reasoning", Content: content} }

// ToolRequest returns the part by which a model asks for a tool.
func ToolRequest(id, name string, arguments any) Part {
	return Part{Type: "tool_call", ID: id, Name: name, Arguments: arguments}
}

// ToolResponse returns the part that answers a ToolRequest.
func ToolResponse(id string, response any) Part {
	return Part{Type: "tool_call_response", ID: id, Response: response}
}
