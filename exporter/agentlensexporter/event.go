package agentlensexporter

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// smallField is how long data fields may be in an event that was refused as
// too large on its own.
const smallField = 4 << 10

// maxReasoningChars keeps a reasoning's JSON under wire.MaxFieldBytes whatever
// its characters.
const maxReasoningChars = wire.MaxFieldBytes / utf8.UTFMax

// wireEvent returns the event of a span, with no data field longer than
// fieldLimit bytes.
func wireEvent(r *spanevent.Reading, fieldLimit int) wire.Event {
	e := &r.Event
	out := wire.Event{
		EventType: string(e.Type), SessionID: wireID(r.Key()), EventID: eventID(r), Timestamp: at(e.Timestamp),
		InputData: fitJSON(e.Input, fieldLimit), OutputData: fitJSON(e.Output, fieldLimit),
		Model:    cutText(e.Model, wire.MaxModelChars),
		TokensIn: e.TokensIn, TokensOut: e.TokensOut, DurationMS: e.DurationMS,
		TraceID: r.TraceID.String(), Provider: cutText(e.Provider, wire.MaxModelChars),
		CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens, ReasoningTokens: e.ReasoningTokens,
		CostUSD: e.CostUSD, Replaces: fitIDs(r.Replaces), PartOf: fitIDs(r.PartOf),
	}
	if !r.ParentID.IsEmpty() {
		out.ParentID = r.ParentID.String()
	}
	if e.Error != nil {
		out.Error = &analysis.Failure{
			Type: cutText(e.Error.Type, wire.MaxStringChars), Message: cutText(e.Error.Message, min(fieldLimit, maxReasoningChars)),
		}
		if out.OutputData == nil {
			out.OutputData, out.OutputIsError = errorOutput(out.Error), true
		}
	}
	setType(&out)
	if t := e.ToolCall; t != nil {
		out.ToolCall = &wire.ToolCall{
			ID: partID(t.ID, out.EventID), Name: cutText(t.Name, wire.MaxStringChars),
			Input: fitJSON(t.Input, fieldLimit), Output: fitJSON(t.Output, fieldLimit),
			Timestamp: at(t.Timestamp), DurationMS: t.DurationMS,
		}
	}
	if d := e.DecisionTrace; d != nil {
		out.DecisionTrace = &wire.DecisionTrace{
			ID: partID(d.ID, out.EventID), Step: d.Step, Reasoning: cutText(d.Reasoning, min(fieldLimit, maxReasoningChars)),
			Alternatives: fitTexts(d.Alternatives, fieldLimit), Confidence: d.Confidence, Timestamp: at(d.Timestamp),
		}
	}
	return out
}

// setType writes the type under which the original backend takes the event and
// counts it as an error when it failed, and keeps the true one beside it.
func setType(e *wire.Event) {
	own := analysis.EventType(e.EventType)
	switch {
	case own == wire.TypeSessionStart, own == wire.TypeSessionEnd:
		// The name of an entry of the wire, not of an event.
		e.EventType = string(analysis.EventGeneric)
		return
	case e.Error != nil && own == analysis.EventToolCall:
		e.EventType = "tool_error"
	case e.Error != nil && (own == analysis.EventLLMCall || own == "agent_call"):
		e.EventType = "agent_error"
	case e.Error != nil && own != "tool_error" && own != "agent_error":
		e.EventType = string(analysis.EventError)
	case !wire.Accepted(e.EventType):
		e.EventType = string(analysis.EventGeneric)
	}
	if e.EventType != string(own) {
		e.TrueType = cutText(string(own), wire.MaxModelChars)
	}
}

// errorOutput is an error as output data.
func errorOutput(f *analysis.Failure) json.RawMessage {
	text, err := encodeJSON(map[string]*analysis.Failure{"error": f})
	if err != nil {
		return nil
	}
	return fitJSON(text, wire.MaxFieldBytes)
}

// sessionEnd returns the session_end that a root or a report calls for.
func sessionEnd(r *spanevent.Reading) wire.Event {
	status := r.Session.Status
	switch status {
	case analysis.StatusCompleted, analysis.StatusError, analysis.StatusTimeout:
	default:
		status = analysis.StatusCompleted
	}
	return wire.Event{
		EventType: wire.TypeSessionEnd, SessionID: wireID(r.Key()), EndedAt: at(r.Session.EndedAt),
		TotalTokensIn: r.Session.TokensIn, TotalTokensOut: r.Session.TokensOut, Status: status,
	}
}

// eventID is the span's id. A span without one gets an id made of what it
// tells, so that it is the same when the span comes again.
func eventID(r *spanevent.Reading) string {
	if wire.ValidID(r.Event.ID) {
		return r.Event.ID
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s/%q/%s/%d/%d/%q/%s/%s", r.TraceID, r.Key(), r.Event.Type, r.Start.UnixNano(), r.End.UnixNano(),
		r.Event.Model, r.Event.Input, r.Event.Output)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// partID returns the id of a tool call or decision trace, that of its event
// when it has none.
func partID(own, event string) string {
	if own == "" {
		return event
	}
	return cutText(own, wire.MaxIDChars)
}

// fitIDs leaves out what the backend would not take.
func fitIDs(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	out := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !wire.ValidID(id) })
	return out[:min(len(out), wire.MaxCopies)]
}

// fitTexts cuts each text so that all of them together fit.
func fitTexts(texts []string, limit int) []string {
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	if size*6+len(texts)*3 <= limit { // a byte takes six at most
		return texts
	}
	const most = 100
	out := make([]string, 0, min(len(texts), most))
	for _, s := range texts[:min(len(texts), most)] {
		out = append(out, cutText(s, limit/most/12))
	}
	return out
}

// at returns t for the wire; nil for the time of a span that tells none, which
// pdata gives as the beginning of 1970.
func at(t time.Time) *wire.Time {
	if !t.After(time.Unix(0, 0)) {
		return nil
	}
	return wire.At(t)
}
