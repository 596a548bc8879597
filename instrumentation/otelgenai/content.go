package otelgenai

import (
	"encoding/json"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// reader reads generated content and embeddings.
type reader struct {
	mode       capture.Mode
	candidates []candidate
	pieces     pieces
	usage      usage
	size       int // of what was read of them
}

// maxStreamed bounds how much of a streamed answer is kept for capture.
const maxStreamed = 256 << 10

const config = "generationConfig"

func (r *reader) RequestMembers() genaihttp.Select {
	keep := []string{"outputDimensionality"}
	for _, name := range []string{
		"temperature", "topP", "topK", "maxOutputTokens", "candidateCount", "stopSequences", "seed", "frequencyPenalty",
		"presencePenalty", "responseMimeType", "thinkingConfig.thinkingLevel",
	} {
		keep = append(keep, config+"."+name)
	}
	if r.mode != capture.None {
		keep = append(keep, "systemInstruction", "contents", "tools")
	}
	return genaihttp.Select{Keep: keep, Enter: []string{config, config + ".thinkingConfig"}}
}

func (r *reader) Request(call *genaihttp.Call, m *genaihttp.Members) {
	call.CopyFloat(semconv.GenAIRequestTemperature, m, config+".temperature")
	call.CopyFloat(semconv.GenAIRequestTopP, m, config+".topP")
	var topK float64
	if m.Decode(config+".topK", &topK) {
		call.SetRequest(attribute.Int64(semconv.GenAIRequestTopK, int64(topK)))
	}
	call.CopyInt(semconv.GenAIRequestMaxTokens, m, config+".maxOutputTokens")
	var n int64
	if m.Decode(config+".candidateCount", &n) && n != 1 {
		call.SetRequest(attribute.Int64(semconv.GenAIRequestChoiceCount, n))
	}
	call.CopyTexts(semconv.GenAIRequestStopSequences, m, config+".stopSequences")
	call.CopyInt(semconv.GenAIRequestSeed, m, config+".seed")
	call.CopyFloat(semconv.GenAIRequestFreqPenalty, m, config+".frequencyPenalty")
	call.CopyFloat(semconv.GenAIRequestPresencePenalty, m, config+".presencePenalty")
	if level := m.String(config + ".thinkingConfig.thinkingLevel"); level != "" {
		call.SetRequest(attribute.String(semconv.GenAIRequestReasoningLevel, strings.ToLower(level)))
	}
	switch mime := m.String(config + ".responseMimeType"); mime {
	case "":
	case "application/json":
		call.SetRequest(attribute.String(semconv.GenAIOutputType, "json"))
	default:
		call.SetRequest(attribute.String(semconv.GenAIOutputType, "text"))
	}
	call.CopyInt(semconv.GenAIEmbeddingsDims, m, "outputDimensionality")

	var system content
	if m.Decode("systemInstruction", &system) {
		call.System = system.message().Parts
	}
	if m.TooLarge("contents") {
		call.Input = genaihttp.TooLarge("user")
	}
	var contents []content
	if m.Decode("contents", &contents) {
		for i := range contents {
			call.Input = append(call.Input, contents[i].message())
		}
	}
	call.Tools = tools(m)
}

// tools lists the functions declared.
func tools(m *genaihttp.Members) json.RawMessage {
	var list []struct {
		Functions []map[string]json.RawMessage `json:"functionDeclarations"`
	}
	if !m.Decode("tools", &list) {
		return nil
	}
	var functions []map[string]json.RawMessage
	for _, tool := range list {
		for _, f := range tool.Functions {
			f["type"] = json.RawMessage(`"function"`)
			functions = append(functions, f)
		}
	}
	b, err := json.Marshal(functions)
	if err != nil || functions == nil {
		return nil
	}
	return b
}

// usage is what the API counts: cached tokens are part of the prompt, thoughts
// are no part of the candidates.
type usage struct {
	Prompt     analysis.Opt[int64] `json:"promptTokenCount"`
	ToolPrompt analysis.Opt[int64] `json:"toolUsePromptTokenCount"`
	Cached     analysis.Opt[int64] `json:"cachedContentTokenCount"`
	Candidates analysis.Opt[int64] `json:"candidatesTokenCount"`
	Thoughts   analysis.Opt[int64] `json:"thoughtsTokenCount"`
}

func (u *usage) counts() genaihttp.Usage {
	output := genaihttp.Sum(u.Candidates, u.Thoughts)
	if !output.OK { // A zero is left out.
		output = u.Thoughts
	}
	return genaihttp.Usage{
		Input: genaihttp.Sum(u.Prompt, u.ToolPrompt), Output: output, CacheRead: u.Cached, Reasoning: u.Thoughts,
	}
}

func (r *reader) AnswerMembers(bool) genaihttp.Select {
	return genaihttp.Select{
		Keep:  []string{"responseId", "modelVersion", "candidates", "usageMetadata", "promptFeedback.blockReason", "error"},
		Enter: []string{"promptFeedback"},
	}
}

func (r *reader) Answer(call *genaihttp.Call, m *genaihttp.Members) { r.read(call, m) }

func (r *reader) Event(call *genaihttp.Call, _ string, m *genaihttp.Members) { r.read(call, m) }

// read takes a whole answer or a piece of one: they look the same.
func (r *reader) read(call *genaihttp.Call, m *genaihttp.Members) {
	if raw := m.Raw("error"); raw != nil {
		call.Fail(raw, 0)
		return
	}
	m.Update("responseId", &call.ResponseID)
	m.Update("modelVersion", &call.ResponseModel)
	if m.Has("usageMetadata") {
		r.count(call, m.Raw("usageMetadata"))
	}
	if reason := m.String("promptFeedback.blockReason"); reason != "" {
		call.FinishReason(0, strings.ToLower(reason))
		call.Complete = true
	}
	pieces, ok := r.pieces.read(m)
	if !ok {
		return
	}
	r.size += len(m.Raw("candidates"))
	for i := range pieces {
		p := &pieces[i]
		if len(p.reason) > 0 {
			call.FinishReason(p.index, strings.ToLower(string(p.reason)))
			call.Complete = true
		}
		if call.OutputCut = r.size > maxStreamed; r.mode != capture.None && !call.OutputCut {
			r.collect(p)
		}
	}
}

func (r *reader) count(call *genaihttp.Call, raw json.RawMessage) {
	u := &r.usage
	if !u.scan(&r.pieces.cursor, raw) {
		if *u = (usage{}); json.Unmarshal(raw, u) != nil {
			return
		}
	}
	call.Usage = u.counts()
}

// content is a message of the API.
type content struct {
	Role  string `json:"role"`
	Parts []struct {
		Text         string `json:"text"`
		Thought      bool   `json:"thought"`
		FunctionCall *struct {
			ID   string          `json:"id"`
			Name string          `json:"name"`
			Args json.RawMessage `json:"args"`
		} `json:"functionCall"`
		FunctionResponse *struct {
			ID       string          `json:"id"`
			Response json.RawMessage `json:"response"`
		} `json:"functionResponse"`
		InlineData *struct {
			MimeType string `json:"mimeType"`
			Data     string `json:"data"`
		} `json:"inlineData"`
		FileData *struct {
			MimeType string `json:"mimeType"`
			URI      string `json:"fileUri"`
		} `json:"fileData"`
	} `json:"parts"`
}

func (c *content) message() genaihttp.Message {
	out := genaihttp.Message{Role: c.Role}
	switch c.Role {
	case "model":
		out.Role = "assistant"
	case "":
		out.Role = "user"
	}
	for _, p := range c.Parts {
		switch {
		case p.FunctionCall != nil:
			out.Parts = append(out.Parts, genaihttp.ToolCall(p.FunctionCall.ID, p.FunctionCall.Name, p.FunctionCall.Args))
		case p.FunctionResponse != nil:
			out.Parts = append(out.Parts, genaihttp.ToolResponse(p.FunctionResponse.ID, p.FunctionResponse.Response))
		case p.InlineData != nil:
			out.Parts = append(out.Parts, genaihttp.Part{
				Type: genaihttp.PartBlob, Modality: modality(p.InlineData.MimeType), MimeType: p.InlineData.MimeType, Content: p.InlineData.Data,
			})
		case p.FileData != nil:
			out.Parts = append(out.Parts, genaihttp.Part{
				Type: genaihttp.PartURI, Modality: modality(p.FileData.MimeType), MimeType: p.FileData.MimeType, Where: p.FileData.URI,
			})
		case p.Thought:
			out.Parts = append(out.Parts, genaihttp.Part{Type: genaihttp.PartReasoning, Content: p.Text})
		case p.Text != "":
			out.Parts = append(out.Parts, genaihttp.Text(p.Text))
		}
	}
	return out
}

func modality(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image", "audio", "video":
		return kind
	default:
		return "document"
	}
}
