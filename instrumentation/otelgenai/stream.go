package otelgenai

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
)

// piece is a candidate as an answer or an event brings it.
type piece struct {
	index  int
	reason []byte
	texts  []textPart
	parts  []genaihttp.Part // in place of texts, when there are others
}

type textPart struct {
	text    []byte
	thought bool
}

// pieces reads candidates and usage. What it returns is good until the next.
type pieces struct {
	cursor genaihttp.Cursor
	list   []piece
}

// read returns the candidates of an event, and whether it has some.
func (p *pieces) read(m *genaihttp.Members) ([]piece, bool) {
	if !m.Has("candidates") {
		return nil, false
	}
	raw := m.Raw("candidates")
	if p.scan(raw) {
		return p.list, true
	}
	return decode(raw)
}

// decode is for all that scan gives up on.
func decode(raw []byte) ([]piece, bool) {
	var candidates []struct {
		Index        int     `json:"index"`
		FinishReason string  `json:"finishReason"`
		Content      content `json:"content"`
	}
	if json.Unmarshal(raw, &candidates) != nil {
		return nil, false
	}
	list := make([]piece, len(candidates))
	for i := range candidates {
		c := &candidates[i]
		list[i] = piece{index: c.Index, reason: []byte(c.FinishReason), parts: c.Content.message().Parts}
	}
	return list, true
}

// The members of a candidate, of its content and its parts, as encoding/json
// knows them.
var (
	candidateNames = []string{"index", "finishReason", "content"}
	contentNames   = []string{"parts", "role"}
	partNames      = []string{"text", "thought", "functionCall", "functionResponse", "inlineData", "fileData"}
	usageNames     = []string{"promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount"}
)

// scan reads candidates of nothing but text. It reports whether they are.
func (p *pieces) scan(raw []byte) bool {
	c := &p.cursor
	c.Reset(raw)
	p.list = p.list[:0]
	c.List(func() {
		p.list = slices.Grow(p.list, 1)[:len(p.list)+1]
		at := &p.list[len(p.list)-1] // with the lists of an event before, which are used again
		*at = piece{texts: at.texts[:0]}
		c.Object(candidateNames, func(i int) {
			switch i {
			case 0:
				at.index = c.Int()
			case 1:
				at.reason = c.Text()
			case 2:
				c.Object(contentNames, func(i int) {
					if i == 0 {
						c.List(func() { at.scanPart(c) })
					} else {
						c.Text()
					}
				})
			}
		})
	})
	return c.Whole()
}

func (p *piece) scanPart(c *genaihttp.Cursor) {
	var part textPart
	c.Object(partNames, func(i int) {
		switch i {
		case 0:
			part.text = c.Text()
		case 1:
			part.thought = c.Bool()
		default:
			c.GiveUp()
		}
	})
	if part.thought || len(part.text) > 0 {
		p.texts = append(p.texts, part)
	}
}

// scan reads the usage of an event, which encoding/json decodes when it
// reports that it could not.
func (u *usage) scan(c *genaihttp.Cursor, raw []byte) bool {
	*u = usage{}
	c.Reset(raw)
	c.Object(usageNames, func(i int) {
		n := analysis.Some(int64(c.Int()))
		switch i {
		case 0:
			u.Prompt = n
		case 1:
			u.ToolPrompt = n
		case 2:
			u.Cached = n
		case 3:
			u.Candidates = n
		case 4:
			u.Thoughts = n
		}
	})
	return c.Whole()
}

const maxCandidates = 128

// candidate puts a streamed candidate together.
type candidate struct {
	reason string
	parts  []genaihttp.Part
	text   []byte // of the last part
}

// collect adds a piece to its candidate.
func (r *reader) collect(p *piece) {
	if p.index < 0 || p.index >= maxCandidates {
		return
	}
	for len(r.candidates) <= p.index {
		r.candidates = append(r.candidates, candidate{})
	}
	c := &r.candidates[p.index]
	if len(p.reason) > 0 {
		c.reason = strings.ToLower(string(p.reason))
	}
	for _, t := range p.texts {
		kind := genaihttp.PartText
		if t.thought {
			kind = genaihttp.PartReasoning
		}
		c.begin(genaihttp.Part{Type: kind})
		c.text = append(c.text, t.text...)
	}
	for _, part := range p.parts {
		text := part.Content
		if isText(part.Type) {
			part.Content = ""
			c.begin(part)
			c.text = append(c.text, text...)
		} else {
			c.begin(part)
		}
	}
}

func isText(kind string) bool { return kind == genaihttp.PartText || kind == genaihttp.PartReasoning }

// begin adds a part, unless it is a text that goes on with the text before it.
func (c *candidate) begin(p genaihttp.Part) {
	if n := len(c.parts); n > 0 && isText(p.Type) && c.parts[n-1].Type == p.Type {
		return
	}
	c.end()
	c.parts = append(c.parts, p)
}

// end gives the last part its text.
func (c *candidate) end() {
	if n := len(c.parts); n > 0 && isText(c.parts[n-1].Type) {
		c.parts[n-1].Content = string(c.text)
		c.text = c.text[:0]
	}
}

// Finish makes messages of what came.
func (r *reader) Finish(call *genaihttp.Call) {
	for i := range r.candidates {
		c := &r.candidates[i]
		c.end()
		call.Output = append(call.Output, genaihttp.Message{Role: "assistant", Parts: c.parts, FinishReason: c.reason})
	}
}
