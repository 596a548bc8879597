package origin

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Session is a session as the original holds it.
type Session struct {
	ID        string
	AgentName string
	StartedAt string
	Metadata  map[string]any
	Status    string
	EndedAt   string
	TokensIn  int64
	TokensOut int64
	// Events are in the order of their timestamps.
	Events      []Event
	Tags        []string
	Annotations []Annotation
	// Log lists the entries that arrived, as type or event id, in order.
	Log []string
}

// Event is an event as the original holds it.
type Event struct {
	ID        string
	Type      string
	Timestamp string
	// Fields is the whole entry, data fields stubbed where they were too long.
	Fields map[string]any
}

// Annotation is an annotation as the original holds it.
type Annotation struct {
	Text    string `json:"text"`
	Author  string `json:"author"`
	Type    string `json:"type"`
	EventID string `json:"event_id,omitempty"`
}

// state is the original's database.
type state struct {
	sessions map[string]*Session
	events   map[string]bool
}

func newState() state {
	return state{sessions: map[string]*Session{}, events: map[string]bool{}}
}

// Sessions returns what is stored, by id.
func (s *Server) Sessions() map[string]Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Session{}
	for id, sess := range s.state.sessions {
		c := *sess
		c.Events = slices.Clone(sess.Events)
		slices.SortStableFunc(c.Events, func(a, b Event) int { return strings.Compare(a.Timestamp, b.Timestamp) })
		c.Tags, c.Annotations, c.Log = slices.Clone(sess.Tags), slices.Clone(sess.Annotations), slices.Clone(sess.Log)
		c.Metadata = maps.Clone(sess.Metadata)
		out[id] = c
	}
	return out
}

type result struct {
	Status          string `json:"status"`
	Processed       int    `json:"processed"`
	Skipped         int    `json:"skipped"`
	TruncatedFields int    `json:"truncated_fields"`
}

const (
	maxID     = 128
	maxString = 1024
	maxModel  = 128
	maxField  = 256 << 10
)

var (
	idPattern  = regexp.MustCompile(`^[a-zA-Z0-9_\-.:]+$`)
	tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-.:/ ]{1,64}$`)
	accepted   = []string{
		"session_start", "session_end", "llm_call", "tool_call", "tool_error", "agent_call", "agent_error", "error", "generic",
	}
)

// take stores a batch in one transaction.
func (s *state) take(batch []map[string]any) result {
	r := result{Status: "ok"}
	for _, e := range batch {
		id, kind := text(e, "session_id"), text(e, "event_type")
		if len(id) > maxID || !idPattern.MatchString(id) || !slices.Contains(accepted, kind) {
			r.Skipped++
			continue
		}
		r.Processed++
		r.TruncatedFields += truncate(e)
		switch kind {
		case "session_start":
			s.start(id, e)
		case "session_end":
			s.end(id, e)
		default:
			s.event(id, kind, e)
		}
	}
	return r
}

// start inserts or ignores.
func (s *state) start(id string, e map[string]any) {
	sess, ok := s.sessions[id]
	if !ok {
		metadata, _ := e["metadata"].(map[string]any)
		sess = &Session{ID: id, AgentName: text(e, "agent_name"), StartedAt: text(e, "timestamp"), Metadata: metadata, Status: "active"}
		s.sessions[id] = sess
	}
	sess.Log = append(sess.Log, "session_start")
}

// end updates a session that is there, and sets its totals.
func (s *state) end(id string, e map[string]any) {
	sess, ok := s.sessions[id]
	if !ok {
		return
	}
	sess.Status, sess.EndedAt = text(e, "status"), text(e, "ended_at")
	if n, ok := e["total_tokens_in"].(float64); ok {
		sess.TokensIn = int64(n)
	}
	if n, ok := e["total_tokens_out"].(float64); ok {
		sess.TokensOut = int64(n)
	}
	sess.Log = append(sess.Log, "session_end")
}

// event stores an event by its id, but adds its tokens each time it comes.
func (s *state) event(id, kind string, e map[string]any) {
	sess, ok := s.sessions[id]
	if !ok {
		sess = &Session{ID: id, AgentName: "default-agent", StartedAt: text(e, "timestamp"), Status: "active"}
		s.sessions[id] = sess
	}
	in, _ := e["tokens_in"].(float64)
	out, _ := e["tokens_out"].(float64)
	sess.TokensIn += int64(in)
	sess.TokensOut += int64(out)
	event := text(e, "event_id")
	sess.Log = append(sess.Log, event)
	if s.events[event] {
		return
	}
	s.events[event] = true
	sess.Events = append(sess.Events, Event{ID: event, Type: kind, Timestamp: text(e, "timestamp"), Fields: e})
}

// truncate cuts what is too long, and returns how many fields it was.
func truncate(e map[string]any) (n int) {
	for name, most := range map[string]int{"agent_name": maxString, "model": maxModel} {
		if s := []rune(text(e, name)); len(s) > most {
			e[name] = string(s[:most])
			n++
		}
	}
	fields := map[string]map[string]any{"input_data": e, "output_data": e, "metadata": e}
	if call, ok := e["tool_call"].(map[string]any); ok {
		fields["tool_input"], fields["tool_output"] = call, call
	}
	for name, in := range fields {
		if in[name] == nil {
			continue
		}
		if size := stringifiedSize(in[name]); size > maxField {
			in[name] = map[string]any{"_truncated": true, "_original_bytes": size}
			n++
		}
	}
	return n
}

// stringifiedSize is the length of JSON.stringify(v), which unlike Go's escapes
// no <, > and &.
func stringifiedSize(v any) int {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return b.Len() - 1
}

// finding serves tags and annotations of a session.
func (s *state) finding(method, id, what string, body []byte) (int, any) {
	sess, ok := s.sessions[id]
	switch {
	case !ok:
		return http.StatusNotFound, problem{"Session not found"}
	case what == "annotations" && method == http.MethodGet:
		return http.StatusOK, map[string]any{"session_id": id, "annotations": sess.Annotations}
	case method != http.MethodPost:
		return http.StatusNotFound, problem{"Not found"}
	case what == "annotations":
		var a Annotation
		if json.Unmarshal(body, &a) != nil || a.Text == "" || len([]rune(a.Text)) > maxAnnotation {
			return http.StatusBadRequest, problem{"Invalid annotation"}
		}
		sess.Annotations = append(sess.Annotations, a)
		return http.StatusCreated, a
	case what == "tags":
		var in struct {
			Tags []string `json:"tags"`
		}
		if json.Unmarshal(body, &in) != nil || slices.ContainsFunc(in.Tags, func(t string) bool { return !tagPattern.MatchString(t) }) {
			return http.StatusBadRequest, problem{"Invalid tags"}
		}
		all := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(sess.Tags), in.Tags...))))
		if len(all) > maxTags {
			return http.StatusBadRequest, problem{"Too many tags"}
		}
		sess.Tags = all
		return http.StatusOK, map[string]any{"session_id": id, "tags": all}
	}
	return http.StatusNotFound, problem{"Not found"}
}

func text(e map[string]any, name string) string {
	s, _ := e[name].(string)
	return s
}

// Time reads a timestamp of the wire.
func Time(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}
