package drift

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// snapshotVersion is the version of the JSON form of a Window.
const snapshotVersion = 1

type windowJSON struct {
	Version     int           `json:"version"`
	MaxSessions int           `json:"max_sessions"`
	Sessions    []sessionJSON `json:"sessions"`
}

type sessionJSON struct {
	ID       string    `json:"session_id,omitempty"`
	End      time.Time `json:"end,omitzero"`
	Revision int64     `json:"revision,omitempty"`
	// Metrics holds those that were observed.
	Metrics    map[string]float64 `json:"metrics"`
	Models     analysis.Counts    `json:"models,omitzero"`
	Tools      analysis.Counts    `json:"tools,omitzero"`
	EventTypes analysis.Counts    `json:"event_types,omitzero"`
}

// MarshalJSON returns everything the window holds, for a snapshot. Windows that
// hold the same sessions have the same JSON.
func (w *Window) MarshalJSON() ([]byte, error) {
	out := windowJSON{Version: snapshotVersion, MaxSessions: w.MaxSessions(), Sessions: make([]sessionJSON, 0, w.Len())}
	for _, x := range w.samples() {
		out.Sessions = append(out.Sessions, x.json())
	}
	return json.Marshal(out)
}

func (x *sample) json() sessionJSON {
	s := sessionJSON{
		ID: x.id, End: x.end, Revision: x.revision, Metrics: make(map[string]float64, numMetrics),
		Models: tidy(x.models), Tools: tidy(x.tools), EventTypes: tidy(x.eventTypes),
	}
	for id, m := range metrics {
		if x.knows(id) {
			s.Metrics[m.name] = x.values[id]
		}
	}
	return s
}

// tidy makes an empty list nil: only its memory is kept for the next session.
func tidy(c analysis.Counts) analysis.Counts {
	if len(c.List) == 0 {
		c.List = nil
	}
	return c
}

// UnmarshalJSON replaces the window with that of a snapshot. A snapshot of
// another version, or with a figure that cannot be, is refused with a
// *analysis.FieldError and leaves the window as it was.
func (w *Window) UnmarshalJSON(b []byte) error {
	in, err := readWindow(b)
	if err != nil {
		return err
	}
	restored, err := NewWindow(in.MaxSessions)
	if err != nil {
		return fmt.Errorf("drift window: %w", err)
	}
	for i := range in.Sessions {
		var x sample
		if err := x.restore(&in.Sessions[i]); err != nil {
			return fmt.Errorf("drift window: session %d: %w", i, err)
		}
		restored.spare.packed = x.pack(restored.spare.packed[:0])
		restored.add()
	}
	*w = *restored
	return nil
}

func readWindow(b []byte) (in windowJSON, err error) {
	if err := json.Unmarshal(b, &in); err != nil {
		return in, fmt.Errorf("drift window: %w", err)
	}
	if in.Version != snapshotVersion {
		return in, fmt.Errorf("drift window: %w", &analysis.FieldError{Field: "version", Value: in.Version, Want: fmt.Sprint(snapshotVersion)})
	}
	return in, nil
}

// restore makes x the sample that s describes.
func (x *sample) restore(s *sessionJSON) error {
	*x = sample{
		id: s.ID, end: s.End.UTC(), revision: s.Revision,
		models: s.Models, tools: s.Tools, eventTypes: s.EventTypes,
	}
	found := 0
	for id, m := range metrics {
		v, ok := s.Metrics[m.name]
		if !ok {
			continue
		}
		found++
		limit := maxFigure
		if m.unit == 0 {
			limit = 1
		}
		if !(v >= 0 && v <= limit) {
			return &analysis.FieldError{Field: m.name, Value: v, Want: fmt.Sprintf("0 to %g", limit)}
		}
		x.values[id], x.known = bounded(v), x.known|1<<id
	}
	if found != len(s.Metrics) {
		return &analysis.FieldError{Field: "metrics", Value: s.Metrics, Want: "the names of metrics"}
	}
	for _, c := range [...]struct {
		name   string
		counts *analysis.Counts
	}{{"models", &s.Models}, {"tools", &s.Tools}, {"event_types", &s.EventTypes}} {
		if err := checkCounts(c.name, c.counts); err != nil {
			return err
		}
	}
	return nil
}

// checkCounts refuses what Counts itself never holds.
func checkCounts(field string, c *analysis.Counts) error {
	if c.Other < 0 {
		return &analysis.FieldError{Field: field + ".other", Value: c.Other, Want: "0 or more"}
	}
	if len(c.List) > analysis.MaxNames {
		return &analysis.FieldError{Field: field, Value: len(c.List), Want: fmt.Sprintf("at most %d names", analysis.MaxNames)}
	}
	for i, n := range c.List {
		if n.N < 0 {
			return &analysis.FieldError{Field: field + "." + n.Name, Value: n.N, Want: "0 or more"}
		}
		if i > 0 && c.List[i-1].Name >= n.Name {
			return &analysis.FieldError{Field: field, Value: n.Name, Want: "names in order, each once"}
		}
	}
	return nil
}
