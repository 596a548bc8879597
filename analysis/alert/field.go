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

// definition is a field of an event that conditions can look at, with the
// getter of its kind. Those that return a bool return false for what is absent.
type definition struct {
	name      string
	kind      fieldKind
	getText   func(*analysis.Event) (string, bool)
	getNumber func(*analysis.Event) (float64, bool)
	getTruth  func(*analysis.Event) bool
	getJSON   func(*analysis.Event) json.RawMessage
}

var fields = []definition{
	textField("event_type", func(e *analysis.Event) (string, bool) { return string(e.Type), true }),
	textField("session_id", func(e *analysis.Event) (string, bool) { return given(e.SessionID) }),
	textField("model", func(e *analysis.Event) (string, bool) { return given(e.Model) }),
	textField("provider", func(e *analysis.Event) (string, bool) { return given(e.Provider) }),
	numberField("tokens_in", func(e *analysis.Event) (float64, bool) { return count(e.TokensIn) }),
	numberField("tokens_out", func(e *analysis.Event) (float64, bool) { return count(e.TokensOut) }),
	numberField("tokens_total", func(e *analysis.Event) (float64, bool) {
		return float64(e.TokensIn.Or(0) + e.TokensOut.Or(0)), e.TokensIn.OK || e.TokensOut.OK
	}),
	numberField("cache_read_tokens", func(e *analysis.Event) (float64, bool) { return count(e.CacheReadTokens) }),
	numberField("cache_write_tokens", func(e *analysis.Event) (float64, bool) { return count(e.CacheWriteTokens) }),
	numberField("reasoning_tokens", func(e *analysis.Event) (float64, bool) { return count(e.ReasoningTokens) }),
	numberField("duration_ms", func(e *analysis.Event) (float64, bool) { return e.DurationMS.Get() }),
	numberField("cost_usd", func(e *analysis.Event) (float64, bool) { return e.CostUSD.Get() }),
	textField("tool_name", func(e *analysis.Event) (string, bool) {
		if e.ToolCall == nil {
			return "", false
		}
		return given(e.ToolCall.Name)
	}),
	jsonField("tool_input", func(e *analysis.Event) json.RawMessage {
		if e.ToolCall == nil {
			return nil
		}
		return e.ToolCall.Input
	}),
	jsonField("tool_output", func(e *analysis.Event) json.RawMessage {
		if e.ToolCall == nil {
			return nil
		}
		return e.ToolCall.Output
	}),
	jsonField("input_data", func(e *analysis.Event) json.RawMessage { return e.Input }),
	jsonField("output_data", func(e *analysis.Event) json.RawMessage { return e.Output }),
	textField("reasoning", func(e *analysis.Event) (string, bool) {
		if e.DecisionTrace == nil {
			return "", false
		}
		return given(e.DecisionTrace.Reasoning)
	}),
	numberField("confidence", func(e *analysis.Event) (float64, bool) {
		if e.DecisionTrace == nil {
			return 0, false
		}
		return e.DecisionTrace.Confidence.Get()
	}),
	{name: "failed", kind: boolean, getTruth: (*analysis.Event).Failed},
	textField("error_type", func(e *analysis.Event) (string, bool) {
		if e.Error == nil {
			return "", false
		}
		return given(e.Error.Type)
	}),
	textField("message", func(e *analysis.Event) (string, bool) {
		if e.Error == nil {
			return "", false
		}
		return e.Error.Message, true
	}),
}

func textField(name string, get func(*analysis.Event) (string, bool)) definition {
	return definition{name: name, kind: text, getText: get}
}

func numberField(name string, get func(*analysis.Event) (float64, bool)) definition {
	return definition{name: name, kind: number, getNumber: get}
}

func jsonField(name string, get func(*analysis.Event) json.RawMessage) definition {
	return definition{name: name, kind: object, getJSON: get}
}

// given returns a text, which is absent when empty.
func given(s string) (string, bool) { return s, s != "" }

func count(n analysis.Opt[int64]) (float64, bool) { return float64(n.V), n.OK }

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
			if n.match.field.isIn(name) || n.metric.isIn(name) {
				return true
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
	plain  bool // raw is an object as plainJSON writes it
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
	switch f.kind {
	case text:
		if s, ok := f.getText(e); ok {
			return value{kind: text, text: s}
		}
	case number:
		if x, ok := f.getNumber(e); ok {
			return value{kind: number, number: x}
		}
	case boolean:
		return value{kind: boolean, truth: f.getTruth(e)}
	case object:
		return f.in(f.getJSON(e))
	}
	return value{}
}

// in returns the value at the field's path in JSON.
func (f *field) in(raw json.RawMessage) value {
	for _, step := range f.path {
		raw = child(raw, step)
	}
	return scalar(raw)
}

// scalar turns JSON into a value: null is absent, and objects and arrays stay
// as they are.
func scalar(raw json.RawMessage) value {
	if raw = trimSpace(raw); len(raw) == 0 {
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
	const shortest = len(`["\u0000"]`)
	if len(raw) < shortest || !bytes.Contains(raw, []byte(`\u`)) {
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
