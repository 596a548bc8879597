package web

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/chart"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Session is what the page of one session shows.
type Session struct {
	store.Detail
	Paging Paging
	// Explanation is Markdown.
	Explanation string

	traceURL string
}

// Session writes the page of one session.
func (p *Pages) Session(w io.Writer, v Session) error {
	v.traceURL = p.traceURL
	return p.write(w, "session", "sessions", v.Status == analysis.StatusActive, v)
}

// Note is an annotation as it is shown.
type Note struct {
	store.Annotation
	finding.Finding
}

func noteOf(a store.Annotation) Note { return Note{a, finding.Parse(a.Author, a.Text)} }

// Findings returns the annotations of the whole session, and those of events
// that are not on this page.
func (s Session) Findings() []Note {
	shown := make(map[string]bool, len(s.Events))
	for i := range s.Events {
		shown[s.Events[i].ID] = true
	}
	var out []Note
	for _, a := range s.Annotations {
		if !shown[a.EventID] {
			out = append(out, noteOf(a))
		}
	}
	return out
}

// TraceURL leads to the session's trace in a tracing backend; empty when there
// is none.
func (s Session) TraceURL() string {
	for i := range s.Events {
		if id := s.Events[i].TraceID; id != "" && s.traceURL != "" {
			return strings.NewReplacer("{trace_id}", url.PathEscape(id), "{session_id}", url.PathEscape(s.ID)).Replace(s.traceURL)
		}
	}
	return ""
}

// Step is one event as a row of the waterfall.
type Step struct {
	store.Event
	// Number counts the session's events from 1.
	Number int64
	// Depth is how deep it is nested, at most maxDepth.
	Depth int
	// Kind is the class of its colour.
	Kind string
	// Name is what it called.
	Name  string
	Lane  template.HTML
	Notes []Note
	Tool  *analysis.ToolCall
	Why   *analysis.DecisionTrace
	// Offset is when it began, after the start of the session.
	Offset analysis.Opt[float64]
}

// maxDepth is how deep rows are indented.
const maxDepth = 6

// Span is the time that the waterfall shows: that of the events on this page.
func (s Session) span() (from, to time.Time) {
	for i := range s.Events {
		start, end := bounds(&s.Events[i])
		if from.IsZero() || start.Before(from) {
			from = start
		}
		if end.After(to) {
			to = end
		}
	}
	if s.Paging.Offset == 0 && !from.IsZero() && s.StartedAt.Before(from) && from.Sub(s.StartedAt) < to.Sub(from) {
		from = s.StartedAt
	}
	return from, to
}

// bounds returns when an event began and ended. The timestamp is the end of
// what is measured.
func bounds(e *store.Event) (start, end time.Time) {
	return e.Timestamp.Add(-analysis.MillisToDuration(e.DurationMS.Or(0))), e.Timestamp
}

// AxisLabels are the times at chart.Marks, from the session's start.
func (s Session) AxisLabels() []string {
	from, to := s.span()
	labels := make([]string, len(chart.Marks))
	for i, m := range chart.Marks {
		at := from.Add(time.Duration(m * float64(to.Sub(from)))).Sub(s.StartedAt)
		if at.Abs() < to.Sub(from)/200 {
			at = 0 // a millisecond of rounding is none
		}
		labels[i] = offset(at)
	}
	return labels
}

// offset writes a time after the start in the unit that reads best.
func offset(d time.Duration) string {
	sign := "+"
	d = d.Round(time.Millisecond)
	if d < 0 {
		sign, d = "−", -d
	}
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return fmt.Sprintf("%s%d ms", sign, d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%s%.1f s", sign, d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%s%d:%02d min", sign, int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%s%.1f h", sign, d.Hours())
}

// Steps returns the rows of the waterfall: each event below its parent, and
// those of one parent in the order in which they began.
func (s Session) Steps() []Step {
	from, to := s.span()
	total := float64(to.Sub(from))
	steps := make([]Step, len(s.Events))
	children := map[string][]int{}
	here := map[string]bool{}
	for i := range s.Events {
		here[s.Events[i].ID] = true
	}
	var roots []int
	for i := range s.Events {
		e := &s.Events[i]
		steps[i] = s.step(e, int64(s.Paging.Offset+i+1), from, total)
		if here[e.ParentID] && e.ParentID != e.ID {
			children[e.ParentID] = append(children[e.ParentID], i)
		} else {
			roots = append(roots, i)
		}
	}
	var out []Step
	placed := make([]bool, len(steps))
	var place func(list []int, depth int)
	place = func(list []int, depth int) {
		slices.SortStableFunc(list, func(a, b int) int {
			startA, _ := bounds(&s.Events[a])
			startB, _ := bounds(&s.Events[b])
			return cmp.Or(startA.Compare(startB), cmp.Compare(a, b))
		})
		for _, i := range list {
			if placed[i] {
				continue
			}
			placed[i] = true
			steps[i].Depth = min(depth, maxDepth)
			out = append(out, steps[i])
			place(children[steps[i].ID], depth+1)
		}
	}
	place(roots, 0)
	for i := range steps { // events that are each other's parents
		if !placed[i] {
			place([]int{i}, 0)
		}
	}
	return out
}

func (s Session) step(e *store.Event, n int64, from time.Time, total float64) Step {
	start, end := bounds(e)
	st := Step{
		Event: *e, Number: n, Kind: kindOf(e), Tool: toolCall(e.ToolCall), Why: decision(e.DecisionTrace),
		Offset: analysis.Some(float64(start.Sub(s.StartedAt)) / float64(time.Millisecond)),
	}
	st.Name = e.Model.Or("")
	if st.Tool != nil && st.Tool.Name != "" && (st.Kind == "tool" || st.Name == "") {
		st.Name = st.Tool.Name
	}
	lane := chart.Lane{Class: st.Kind, Title: e.Type + " " + st.Name + ", " + millis(e.DurationMS)}
	if total > 0 {
		lane.Start, lane.End = float64(start.Sub(from))/total, float64(end.Sub(from))/total
	}
	if failed(*e) {
		lane.Class += " failed"
	}
	st.Lane = lane.SVG()
	for _, a := range s.Annotations {
		if a.EventID == e.ID {
			st.Notes = append(st.Notes, noteOf(a))
		}
	}
	return st
}

// kindOf returns the class of an event's colour.
func kindOf(e *store.Event) string {
	switch {
	case e.Type == "llm_call":
		return "llm"
	case strings.HasPrefix(e.Type, "tool"):
		return "tool"
	case e.Type == "decision":
		return "decision"
	case strings.HasSuffix(e.Type, "error"):
		return "fault"
	}
	return "other"
}
