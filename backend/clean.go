package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// cleaner makes one entry of a batch fit to be stored, and notes on the batch
// what it had to cut or drop.
type cleaner struct {
	batch *batch
	entry int
}

func (c cleaner) skip(err error) {
	c.batch.skipped++
	c.batch.reason(fmt.Sprintf("%s[%d] skipped: %v", c.batch.name, c.entry, err))
}

func (c cleaner) cut(what string) {
	c.batch.truncated++
	c.batch.reason(fmt.Sprintf("%s[%d]: %s", c.batch.name, c.entry, what))
}

// salvage decodes an entry field by field and drops those that do not fit,
// so that a fraction where a count belongs does not cost the event. It returns
// false when raw is no object.
func (c cleaner) salvage(raw json.RawMessage, e *wire.Event) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return false
	}
	*e = wire.Event{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		one, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err == nil {
			next := *e
			if err = decodeEvent(one, &next); err == nil {
				*e = next
				continue
			}
		}
		c.cut(fmt.Sprintf("%s dropped: %v", short(name), err))
	}
	return true
}

// clean drops impossible figures and cuts what is longer than the wire allows.
func (c cleaner) clean(e *wire.Event) {
	c.figures(e)
	c.text("agent_name", &e.AgentName, wire.MaxStringChars)
	c.text("model", &e.Model, wire.MaxModelChars)
	c.text("provider", &e.Provider, wire.MaxModelChars)
	c.text("agentlens_event_type", &e.TrueType, wire.MaxModelChars)
	c.text("otel_trace_id", &e.TraceID, wire.MaxIDChars)
	c.text("parent_event_id", &e.ParentID, wire.MaxIDChars)
	if e.TrueType == wire.TypeSessionStart || e.TrueType == wire.TypeSessionEnd {
		c.drop(&analysis.FieldError{Field: "agentlens_event_type", Value: short(e.TrueType), Want: "the type of an event"})
		e.TrueType = ""
	}
	switch e.Status {
	case "", analysis.StatusCompleted, analysis.StatusError, analysis.StatusTimeout:
	default:
		c.drop(&analysis.FieldError{Field: "status", Value: short(string(e.Status)), Want: "completed, error or timeout"})
		e.Status = ""
	}
	c.metadata(e)
	c.ids("agentlens_replaces", &e.Replaces, e.EventID)
	c.ids("agentlens_part_of", &e.PartOf, e.EventID)
	c.data("input_data", &e.InputData)
	c.data("output_data", &e.OutputData)
	if t := e.ToolCall; t != nil {
		c.text("tool_call.tool_name", &t.Name, wire.MaxStringChars)
		c.text("tool_call.tool_call_id", &t.ID, wire.MaxIDChars)
		c.data("tool_call.tool_input", &t.Input)
		c.data("tool_call.tool_output", &t.Output)
	}
	if d := e.DecisionTrace; d != nil {
		c.text("decision_trace.trace_id", &d.ID, wire.MaxIDChars)
		c.text("decision_trace.reasoning", &d.Reasoning, wire.MaxFieldBytes/utf8.UTFMax)
		if n := jsonSize(d.Alternatives); n > wire.MaxFieldBytes {
			c.cut(fmt.Sprintf("decision_trace.alternatives_considered dropped: %d bytes, at most %d", n, wire.MaxFieldBytes))
			d.Alternatives = nil
		}
	}
	if f := e.Error; f != nil {
		c.text("error.type", &f.Type, wire.MaxStringChars)
		c.text("error.message", &f.Message, wire.MaxFieldBytes/utf8.UTFMax)
	}
}

// maxCostUSD keeps sums of costs far from the largest number there is.
const maxCostUSD = 1e9

// figures makes absent what analysis.Event.Validate refuses, and totals and
// costs that cannot be.
func (c cleaner) figures(e *wire.Event) {
	for _, total := range [...]struct {
		field string
		v     *analysis.Opt[int64]
	}{{"total_tokens_in", &e.TotalTokensIn}, {"total_tokens_out", &e.TotalTokensOut}} {
		if total.v.OK && total.v.V < 0 {
			c.drop(&analysis.FieldError{Field: total.field, Value: total.v.V, Want: "0 or more"})
			total.v.OK = false
		}
	}
	if e.CostUSD.OK && e.CostUSD.V > maxCostUSD {
		c.drop(&analysis.FieldError{Field: "cost_usd", Value: e.CostUSD.V, Want: "less than a billion"})
		e.CostUSD.OK = false
	}
	// Validate names one figure at a time.
	var bad *analysis.FieldError
	for errors.As(validate(e), &bad) {
		c.drop(bad)
		if !forget(e, bad.Field) {
			return
		}
	}
}

func (c cleaner) drop(err *analysis.FieldError) { c.cut("dropped: " + err.Error()) }

// forget makes a figure absent. It returns false for one it does not know.
func forget(e *wire.Event, field string) bool {
	switch field {
	case "tokens_in":
		e.TokensIn.OK = false
	case "tokens_out":
		e.TokensOut.OK = false
	case "cache_read_tokens":
		e.CacheReadTokens.OK = false
	case "cache_write_tokens":
		e.CacheWriteTokens.OK = false
	case "reasoning_tokens":
		e.ReasoningTokens.OK = false
	case "duration_ms":
		e.DurationMS.OK = false
	case "cost_usd":
		e.CostUSD.OK = false
	case "tool_call.duration_ms":
		e.ToolCall.DurationMS.OK = false
	case "confidence":
		e.DecisionTrace.Confidence.OK = false
	default:
		return false
	}
	return true
}

func validate(e *wire.Event) error {
	a := analysis.Event{
		TokensIn: e.TokensIn, TokensOut: e.TokensOut, CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens,
		ReasoningTokens: e.ReasoningTokens, DurationMS: e.DurationMS, CostUSD: e.CostUSD,
	}
	if e.ToolCall != nil {
		a.ToolCall = &analysis.ToolCall{DurationMS: e.ToolCall.DurationMS}
	}
	if e.DecisionTrace != nil {
		a.DecisionTrace = &analysis.DecisionTrace{Confidence: e.DecisionTrace.Confidence}
	}
	return a.Validate()
}

// text cuts s to a number of characters.
func (c cleaner) text(field string, s *string, most int) {
	if len(*s) <= most {
		return
	}
	n := 0
	for i := range *s {
		if n == most {
			c.cut(fmt.Sprintf("%s cut to %d characters", field, most))
			*s = strings.Clone((*s)[:i])
			return
		}
		n++
	}
}

// ids drops what is no id of another event.
func (c cleaner) ids(field string, ids *[]string, own string) {
	if len(*ids) > wire.MaxCopies {
		c.drop(&analysis.FieldError{Field: field, Value: fmt.Sprintf("%d ids", len(*ids)), Want: fmt.Sprintf("%d at most", wire.MaxCopies)})
		*ids = (*ids)[:wire.MaxCopies]
	}
	*ids = slices.DeleteFunc(*ids, func(id string) bool {
		bad := !wire.ValidID(id)
		if bad {
			c.drop(&analysis.FieldError{Field: field, Value: short(id), Want: wantID})
		}
		return bad || id == own
	})
}

// stub takes the place of data too long to store.
type stub struct {
	Truncated     bool `json:"_truncated"`
	OriginalBytes int  `json:"_original_bytes"`
	// Preview is how the data began.
	Preview string `json:"_preview"`
}

func (c cleaner) data(field string, raw *json.RawMessage) {
	if string(*raw) == "null" {
		*raw = nil
	}
	if len(*raw) <= wire.MaxFieldBytes {
		return
	}
	c.cut(fmt.Sprintf("%s replaced by a stub: %d bytes, at most %d", field, len(*raw), wire.MaxFieldBytes))
	*raw, _ = json.Marshal(stubOf(string(*raw))) // two scalars and a string always marshal
}

func stubOf(text string) stub {
	return stub{Truncated: true, OriginalBytes: len(text), Preview: strings.ToValidUTF8(text[:min(len(text), wire.MaxStringChars)], "")}
}

// metadata cuts the strings of metadata, and replaces the whole by a stub when
// it is still too long.
func (c cleaner) metadata(e *wire.Event) {
	for key, v := range e.Metadata {
		if s, ok := v.(string); ok {
			c.text("metadata."+short(key), &s, wire.MaxStringChars)
			e.Metadata[key] = s
		}
	}
	if len(e.Metadata) == 0 {
		return
	}
	if n := jsonSize(e.Metadata); n > wire.MaxFieldBytes {
		e.Metadata = map[string]any{"_truncated": true, "_original_bytes": n}
		c.cut(fmt.Sprintf("metadata replaced by a stub: %d bytes, at most %d", n, wire.MaxFieldBytes))
	}
}

// jsonSize returns how long v is as JSON, a lot when it cannot be written.
func jsonSize(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return math.MaxInt
	}
	return len(text)
}
