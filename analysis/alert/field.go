package alert

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
)

// fieldKind is what a field holds.
type fieldKind uint8

const (
	absent fieldKind = iota
	number
	text
	boolean
	object // JSON, or with a path whatever is found there
)

// definition is a field of an event that conditions can look at.
type definition struct {
	name string
	kind fieldKind
	get  func(*analysis.Event) value
}

var fields = []definition{
	{"event_type", text, func(e *analysis.Event) value { return value{kind: text, text: string(e.Type)} }},
	{"session_id", text, func(e *analysis.Event) value { return textValue(e.SessionID) }},
	{"model", text, func(e *analysis.Event) value { return textValue(e.Model) }},
	{"provider", text, func(e *analysis.Event) value { return textValue(e.Provider) }},
	{"tokens_in", number, func(e *analysis.Event) value { return countValue(e.TokensIn) }},
	{"tokens_out", number, func(e *analysis.Event) value { return countValue(e.TokensOut) }},
	{"tokens_total", number, func(e *analysis.Event) value {
		if !e.TokensIn.OK && !e.TokensOut.OK {
			return value{}
		}
		return value{kind: number, number: float64(e.TokensIn.Or(0) + e.TokensOut.Or(0))}
	}},
	{"cache_read_tokens", number, func(e *analysis.Event) value { return countValue(e.CacheReadTokens) }},
	{"cache_write_tokens", number, func(e *analysis.Event) value { return countValue(e.CacheWriteTokens) }},
	{"reasoning_tokens", number, func(e *analysis.Event) value { return countValue(e.ReasoningTokens) }},
	{"duration_ms", number, func(e *analysis.Event) value { return amountValue(e.DurationMS) }},
	{"cost_usd", number, func(e *analysis.Event) value { return amountValue(e.CostUSD) }},
	{"tool_name", text, func(e *analysis.Event) value {
		if e.ToolCall == nil {
			return value{}
		}
		return textValue(e.ToolCall.Name)
	}},
	{"tool_input", object, func(e *analysis.Event) value {
		if e.ToolCall == nil {
			return value{}
		}
		return jsonValue(e.ToolCall.Input)
	}},
	{"tool_output", object, func(e *analysis.Event) value {
		if e.ToolCall == nil {
			return value{}
		}
		return jsonValue(e.ToolCall.Output)
	}},
	{"input_data", object, func(e *analysis.Event) value { return jsonValue(e.Input) }},
	{"output_data", object, func(e *analysis.Event) value { return jsonValue(e.Output) }},
	{"reasoning", text, func(e *analysis.Event) value {
		if e.DecisionTrace == nil {
			return value{}
		}
		return textValue(e.DecisionTrace.Reasoning)
	}},
	{"confidence", number, func(e *analysis.Event) value {
		if e.DecisionTrace == nil {
			return value{}
		}
		return amountValue(e.DecisionTrace.Confidence)
	}},
	{"failed", boolean, func(e *analysis.Event) value { return value{kind: boolean, truth: e.Failed()} }},
	{"error_type", text, func(e *analysis.Event) value {
		if e.Error == nil {
			return value{}
		}
		return textValue(e.Error.Type)
	}},
	{"message", text, func(e *analysis.Event) value {
		if e.Error == nil {
			return value{}
		}
		return value{kind: text, text: e.Error.Message}
	}},
}

// Fields returns the names of the fields that conditions can look at.
func Fields() []string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return names
}

// LooksAt reports whether a condition of the rules looks at the field, or at a
// path into it: events that rules do not look at the data of need not carry it.
func (rs *RuleSet) LooksAt(name string) bool {
	for _, r := range rs.rules {
		for i := range r.nodes {
			n := &r.nodes[i]
			for _, f := range [...]*field{&n.match.field, &n.metric} {
				if head, _, _ := strings.Cut(f.name, "."); head == name {
					return true
				}
			}
		}
	}
	return false
}

// field is a definition with a path into the object it holds.
type field struct {
	definition
	path []string
}

func compileField(name string) (field, bool) {
	head, path, dotted := strings.Cut(name, ".")
	i := slices.IndexFunc(fields, func(d definition) bool { return d.name == head })
	if i < 0 {
		return field{}, false
	}
	f := field{definition: fields[i]}
	f.name = name
	if dotted {
		f.path = strings.Split(path, ".")
		if f.kind != object || slices.Contains(f.path, "") {
			return field{}, false
		}
	}
	return f, true
}

// value is what an event holds in a field. A text out of JSON is in raw when it
// is there as it is, without quotes: what looks at it need not copy it.
type value struct {
	kind   fieldKind
	truth  bool
	number float64
	text   string
	raw    json.RawMessage
}

// string returns a text.
func (v *value) string() string {
	if v.raw != nil {
		return string(v.raw)
	}
	return v.text
}

// of returns the event's value; a JSON string, number or bool comes as such.
func (f *field) of(e *analysis.Event) value {
	v := f.get(e)
	if v.kind != object {
		return v
	}
	for _, step := range f.path {
		v.raw = child(v.raw, step)
	}
	return scalar(v.raw)
}

func textValue(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: text, text: s}
}

func countValue(n analysis.Opt[int64]) value {
	if !n.OK {
		return value{}
	}
	return value{kind: number, number: float64(n.V)}
}

func amountValue(x analysis.Opt[float64]) value {
	if !x.OK {
		return value{}
	}
	return value{kind: number, number: x.V}
}

func jsonValue(raw json.RawMessage) value {
	if len(raw) == 0 {
		return value{}
	}
	return value{kind: object, raw: raw}
}

// scalar turns JSON into a value: null is absent, and objects and arrays stay
// as they are.
func scalar(raw json.RawMessage) value {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return value{}
	}
	switch {
	case raw[0] == '{' || raw[0] == '[':
		return value{kind: object, raw: raw}
	case raw[0] == '"':
		if inside := raw[1:]; isPlain(inside) {
			return value{kind: text, raw: inside[:len(inside)-1]}
		}
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return value{kind: text, text: s}
		}
	case string(raw) == "true" || string(raw) == "false":
		return value{kind: boolean, truth: raw[0] == 't'}
	case raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'):
		// A number beyond float64 cannot be compared.
		if x, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return value{kind: number, number: x}
		}
	}
	return value{}
}

// isPlain reports whether a JSON string, from behind its first quote, says what
// it says without escapes.
func isPlain(rest []byte) bool {
	end := len(rest) - 1
	if end < 0 || rest[end] != '"' {
		return false
	}
	for _, b := range rest[:end] {
		if b < ' ' || b == '"' || b == '\\' {
			return false
		}
	}
	return utf8.Valid(rest[:end])
}

// plainJSON returns JSON with characters written out that were written as \u
// escapes, so that a pattern sees them however the writer wrote them.
func plainJSON(raw json.RawMessage) []byte {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&tree) != nil {
		return raw
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(tree) != nil {
		return raw
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
