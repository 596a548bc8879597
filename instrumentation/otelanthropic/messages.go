package otelanthropic

import (
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// reader reads the messages API.
type reader struct {
	mode   capture.Mode
	usage  usage
	cursor genaihttp.Cursor
	blocks []blockText // of a stream
	size   int
}

const (
	// maxStreamed bounds how much of a streamed answer is kept for capture.
	maxStreamed = 256 << 10
	maxBlocks   = 1024
)

func (r *reader) RequestMembers() genaihttp.Select {
	keep := []string{"model", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "output_config.effort"}
	if r.mode != capture.None {
		keep = append(keep, "system", "messages", "tools")
	}
	return genaihttp.Select{Keep: keep, Enter: []string{"output_config"}}
}

func (r *reader) Request(call *genaihttp.Call, m *genaihttp.Members) {
	call.Model = m.String("model")
	call.CopyInt(semconv.GenAIRequestMaxTokens, m, "max_tokens")
	call.CopyFloat(semconv.GenAIRequestTemperature, m, "temperature")
	call.CopyFloat(semconv.GenAIRequestTopP, m, "top_p")
	call.CopyInt(semconv.GenAIRequestTopK, m, "top_k")
	call.CopyTexts(semconv.GenAIRequestStopSequences, m, "stop_sequences")
	call.CopyText(semconv.GenAIRequestReasoningLevel, m, "output_config.effort")
	if m.Decode("stream", &call.Streaming) && call.Streaming {
		call.SetRequest(attribute.Bool(semconv.GenAIRequestStream, true))
	}
	call.System = parts(m.Raw("system"))
	if m.TooLarge("messages") {
		call.Input = genaihttp.TooLarge("user")
	}
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if m.Decode("messages", &messages) {
		for _, message := range messages {
			call.Input = append(call.Input, genaihttp.Message{Role: message.Role, Parts: parts(message.Content)})
		}
	}
	call.Tools = tools(m)
}

// tools returns the definitions with the names of the convention.
func tools(m *genaihttp.Members) json.RawMessage {
	var list []map[string]json.RawMessage
	if !m.Decode("tools", &list) {
		return nil
	}
	for _, tool := range list {
		if schema, ok := tool["input_schema"]; ok {
			tool["parameters"] = schema
			delete(tool, "input_schema")
		}
		if _, ok := tool["type"]; !ok {
			tool["type"] = json.RawMessage(`"function"`)
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	return b
}

// usage is what the API has told so far; each of its numbers is cumulative.
type usage struct {
	Input      analysis.Opt[int64] `json:"input_tokens"`
	CacheWrite analysis.Opt[int64] `json:"cache_creation_input_tokens"`
	CacheRead  analysis.Opt[int64] `json:"cache_read_input_tokens"`
	Output     analysis.Opt[int64] `json:"output_tokens"`
	Details    struct {
		Thinking analysis.Opt[int64] `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
	ServiceTier string `json:"service_tier"`
}

// counts returns the usage with the cached tokens counted in.
func (u *usage) counts() genaihttp.Usage {
	return genaihttp.Usage{
		Input: genaihttp.Sum(u.Input, u.CacheRead, u.CacheWrite), Output: u.Output,
		CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Reasoning: u.Details.Thinking,
	}
}

// add takes what a piece of usage says, over what was said before.
func (r *reader) add(call *genaihttp.Call, m *genaihttp.Members, path string) {
	said := r.usage
	if !m.Decode(path, &said) {
		return
	}
	keep := func(now *analysis.Opt[int64], before analysis.Opt[int64]) {
		if !now.OK { // A null says nothing.
			*now = before
		}
	}
	keep(&said.Input, r.usage.Input)
	keep(&said.CacheWrite, r.usage.CacheWrite)
	keep(&said.CacheRead, r.usage.CacheRead)
	keep(&said.Output, r.usage.Output)
	r.usage = said
	call.Usage = r.usage.counts()
	if said.ServiceTier != "" {
		call.SetResponse(attribute.String(semconv.AnthropicResponseServiceTier, said.ServiceTier))
	}
}

func (r *reader) AnswerMembers(stream bool) genaihttp.Select {
	if !stream {
		return genaihttp.Select{Keep: []string{"id", "model", "content", "stop_reason", "usage"}}
	}
	return genaihttp.Select{
		Keep: []string{
			"type", "index", "content_block", "delta", "usage", "error",
			"message.id", "message.model", "message.usage",
		},
		Enter: []string{"message"},
	}
}

func (r *reader) Answer(call *genaihttp.Call, m *genaihttp.Members) {
	call.ResponseID = m.String("id")
	call.ResponseModel = m.String("model")
	r.add(call, m, "usage")
	reason := m.String("stop_reason")
	call.FinishReason(0, reason)
	if r.mode == capture.None {
		return
	}
	if content := parts(m.Raw("content")); content != nil {
		call.Output = []genaihttp.Message{{Role: "assistant", Parts: content, FinishReason: reason}}
	}
}

func (r *reader) Event(call *genaihttp.Call, event string, m *genaihttp.Members) {
	if event == "" {
		event = m.String("type")
	}
	switch event {
	case "message_start":
		call.ResponseID = m.String("message.id")
		call.ResponseModel = m.String("message.model")
		r.add(call, m, "message.usage")
		// Of the output it tells a beginning, which is no count.
		r.usage.Output, r.usage.Details.Thinking = analysis.Opt[int64]{}, analysis.Opt[int64]{}
		call.Usage = r.usage.counts()
	case "message_delta":
		var delta struct {
			StopReason string `json:"stop_reason"`
		}
		m.Decode("delta", &delta)
		call.FinishReason(0, delta.StopReason)
		r.add(call, m, "usage")
	case "message_stop":
		call.Complete = true
	case "error":
		call.Fail(m.Raw("error"), 0)
	case "content_block_start", "content_block_delta":
		if call.OutputCut = r.size > maxStreamed; r.mode != capture.None && !call.OutputCut {
			r.collect(m)
		}
	}
}

// blockText puts a streamed block together.
type blockText struct {
	part genaihttp.Part
	text []byte
	json []byte
}

func (r *reader) collect(m *genaihttp.Members) {
	index, ok := m.Int("index")
	if !ok || index < 0 || index >= maxBlocks {
		return
	}
	for len(r.blocks) <= index {
		r.blocks = append(r.blocks, blockText{})
	}
	b := &r.blocks[index]
	if raw := m.Raw("content_block"); raw != nil {
		r.size += len(raw)
		var start block
		if json.Unmarshal(raw, &start) == nil {
			b.part = start.part()
			b.text = append(b.text, b.part.Content...)
		}
		return
	}
	raw := m.Raw("delta")
	r.size += len(raw)
	d, ok := scanDelta(&r.cursor, raw)
	if !ok {
		d = decodeDelta(raw)
	}
	b.text = append(append(b.text, d.text...), d.thinking...)
	b.json = append(b.json, d.partialJSON...)
}

// delta is what an event adds to a block.
type delta struct{ text, thinking, partialJSON []byte }

var deltaNames = []string{"text", "thinking", "partial_json"}

// scanDelta reads what nearly all deltas are, and reports whether it could. The
// delta is good until the next.
func scanDelta(c *genaihttp.Cursor, raw []byte) (d delta, ok bool) {
	c.Reset(raw)
	c.Object(deltaNames, func(i int) {
		switch i {
		case 0:
			d.text = c.Text()
		case 1:
			d.thinking = c.Text()
		case 2:
			d.partialJSON = c.Text()
		}
	})
	return d, c.Whole()
}

// decodeDelta is for all that scanDelta gives up on. Of a delta with a member of
// another type it returns the others.
func decodeDelta(raw []byte) delta {
	var d struct {
		Text        string `json:"text"`
		Thinking    string `json:"thinking"`
		PartialJSON string `json:"partial_json"`
	}
	_ = json.Unmarshal(raw, &d)
	return delta{[]byte(d.Text), []byte(d.Thinking), []byte(d.PartialJSON)}
}

// Finish makes a message of what a stream brought.
func (r *reader) Finish(call *genaihttp.Call) {
	if r.blocks == nil {
		return
	}
	message := genaihttp.Message{Role: "assistant"}
	if len(call.FinishReasons) > 0 {
		message.FinishReason = call.FinishReasons[0]
	}
	for i := range r.blocks {
		b := &r.blocks[i]
		p := b.part
		p.Content = string(b.text)
		if len(b.json) > 0 {
			p.Data = b.json
		}
		message.Parts = append(message.Parts, p)
	}
	call.Output = []genaihttp.Message{message}
}
