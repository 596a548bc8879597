package otelopenai

import (
	"encoding/json"
	"slices"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// maxStreamed bounds how much of a streamed answer is kept for capture.
const maxStreamed = 256 << 10

func (r *chatReader) Event(call *genaihttp.Call, _ string, m *genaihttp.Members) {
	if raw := m.Raw("error"); raw != nil && string(raw) != "null" {
		call.Fail(raw, 0)
		return
	}
	r.common(call, m)
	var choices []piece
	var ok bool
	if r.mode != capture.None {
		if call.OutputCut = r.size > maxStreamed; !call.OutputCut {
			choices, ok = r.pieces.read(m)
		}
	}
	if !ok {
		ends(call, m)
		return
	}
	r.size += len(m.Raw("choices"))
	for i := range choices {
		p := &choices[i]
		if len(p.reason) > 0 {
			call.FinishReason(p.index, string(p.reason))
			call.Complete = true
		}
		r.collect(p)
	}
}

// piece is a choice as an event brings it.
type piece struct {
	index              int
	role, reason, text []byte
	content, reasoning []byte
	refusal            []byte
	calls              []callPiece
}

type callPiece struct {
	index               int
	id, name, arguments []byte
}

// pieces reads the choices of events. What it returns is good until the next.
type pieces struct {
	cursor genaihttp.Cursor
	list   []piece
}

// read returns the choices of an event, and whether it has some.
func (p *pieces) read(m *genaihttp.Members) ([]piece, bool) {
	raw := m.Raw("choices")
	if raw == nil {
		return nil, false
	}
	if p.scan(raw) {
		return p.list, true
	}
	return p.decode(raw)
}

// decode is for all that scan gives up on.
func (p *pieces) decode(raw json.RawMessage) ([]piece, bool) {
	var choices []choice
	if json.Unmarshal(raw, &choices) != nil || choices == nil {
		return nil, false
	}
	list := make([]piece, len(choices))
	for i := range choices {
		c := &choices[i]
		d := &c.Delta
		list[i] = piece{
			index: c.Index, reason: []byte(c.FinishReason), role: []byte(d.Role), content: []byte(d.text()), reasoning: []byte(d.reasoning()),
			refusal: []byte(d.Refusal), text: []byte(c.Text),
		}
		for _, call := range d.ToolCalls {
			list[i].calls = append(list[i].calls, callPiece{
				call.Index, []byte(call.ID), []byte(call.Function.Name), []byte(call.Function.Arguments),
			})
		}
	}
	return list, true
}

// The members of choice, of its delta and so on, as encoding/json knows them.
var (
	choiceNames   = []string{"index", "delta", "finish_reason", "text", "message"}
	deltaNames    = []string{"content", "tool_calls", "role", "refusal", "reasoning_content", "reasoning", "name", "tool_call_id"}
	toolCallNames = []string{"index", "id", "function", "custom"}
	functionNames = []string{"name", "arguments"}
)

// scan reads what nearly all events are. It reports whether it could.
func (p *pieces) scan(raw []byte) bool {
	c := &p.cursor
	c.Reset(raw)
	p.list = p.list[:0]
	c.List(func() {
		p.list = slices.Grow(p.list, 1)[:len(p.list)+1]
		at := &p.list[len(p.list)-1] // with the lists of an event before, which are used again
		*at = piece{calls: at.calls[:0]}
		c.Object(choiceNames, func(i int) {
			switch i {
			case 0:
				at.index = c.Int()
			case 1:
				at.scanDelta(c)
			case 2:
				at.reason = c.Text()
			case 3:
				at.text = c.Text()
			default:
				c.GiveUp()
			}
		})
	})
	return c.Whole()
}

func (p *piece) scanDelta(c *genaihttp.Cursor) {
	var more []byte
	c.Object(deltaNames, func(i int) {
		switch i {
		case 0:
			p.content = c.Text()
		case 1:
			c.List(func() { p.scanCall(c) })
		case 2:
			p.role = c.Text()
		case 3:
			p.refusal = c.Text()
		case 4:
			p.reasoning = c.Text()
		case 5:
			more = c.Text()
		default:
			c.Text()
		}
	})
	if len(p.reasoning) == 0 {
		p.reasoning = more
	}
}

func (p *piece) scanCall(c *genaihttp.Cursor) {
	var call callPiece
	c.Object(toolCallNames, func(i int) {
		switch i {
		case 0:
			call.index = c.Int()
		case 1:
			call.id = c.Text()
		case 2:
			c.Object(functionNames, func(i int) {
				if i == 0 {
					call.name = c.Text()
				} else {
					call.arguments = c.Text()
				}
			})
		default:
			c.GiveUp()
		}
	})
	p.calls = append(p.calls, call)
}

// choiceText puts a streamed choice together.
type choiceText struct {
	role                     string
	text, reasoning, refusal []byte
	calls                    []toolText
}

type toolText struct {
	id, name  string
	arguments []byte
}

const maxParallel = 128

func (r *chatReader) collect(p *piece) {
	if p.index < 0 || p.index >= maxParallel {
		return
	}
	for len(r.choices) <= p.index {
		r.choices = append(r.choices, choiceText{})
	}
	t := &r.choices[p.index]
	if len(p.role) > 0 && string(p.role) != t.role {
		t.role = string(p.role)
	}
	t.text = append(append(t.text, p.text...), p.content...)
	t.reasoning = append(t.reasoning, p.reasoning...)
	t.refusal = append(t.refusal, p.refusal...)
	for _, call := range p.calls {
		if call.index < 0 || call.index >= maxParallel {
			continue
		}
		for len(t.calls) <= call.index {
			t.calls = append(t.calls, toolText{})
		}
		tool := &t.calls[call.index]
		tool.id += string(call.id)
		tool.name += string(call.name)
		tool.arguments = append(tool.arguments, call.arguments...)
	}
}

// Finish makes messages of what a stream brought.
func (r *chatReader) Finish(call *genaihttp.Call) {
	for i := range r.choices {
		t := &r.choices[i]
		message := genaihttp.Message{Role: t.role}
		if message.Role == "" {
			message.Role = "assistant"
		}
		if i < len(call.FinishReasons) {
			message.FinishReason = call.FinishReasons[i]
		}
		if len(t.reasoning) > 0 {
			message.Parts = append(message.Parts, genaihttp.Part{Type: genaihttp.PartReasoning, Content: string(t.reasoning)})
		}
		for _, text := range [][]byte{t.text, t.refusal} {
			if len(text) > 0 {
				message.Parts = append(message.Parts, genaihttp.Text(string(text)))
			}
		}
		for j := range t.calls {
			tool := &t.calls[j]
			message.Parts = append(message.Parts, genaihttp.ToolCall(tool.id, tool.name, quoted(string(tool.arguments))))
		}
		call.Output = append(call.Output, message)
	}
}
