package backend

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// annotationList is the answer to GET /sessions/{id}/annotations.
type annotationList struct {
	SessionID string `json:"session_id"`
	// Total counts what type and author select, Returned those of this page.
	Total    int `json:"total"`
	Returned int `json:"returned"`
	Limit    int `json:"limit"`
	Offset   int `json:"offset"`
	// Types counts all of the session's by type.
	Types       map[string]int     `json:"type_breakdown"`
	Annotations []store.Annotation `json:"annotations"`
}

// getAnnotations is GET /sessions/{id}/annotations. Parameters: type
// (comma-separated), author, limit and offset.
func (s *Server) getAnnotations(w http.ResponseWriter, r *http.Request) {
	out := annotationList{SessionID: r.PathValue("id"), Types: map[string]int{}, Annotations: []store.Annotation{}}
	var err error
	if out.Limit, out.Offset, err = page(r, maxEvents, maxEvents); err != nil {
		s.fail(w, r, err)
		return
	}
	all, err := s.store.Annotations(r.Context(), out.SessionID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	types, author := list(r.URL.Query().Get("type")), r.URL.Query().Get("author")
	for _, a := range all {
		out.Types[a.Type]++
		if len(types) > 0 && !slices.Contains(types, a.Type) || author != "" && a.Author != author {
			continue
		}
		if out.Total++; out.Total > out.Offset && len(out.Annotations) < out.Limit {
			out.Annotations = append(out.Annotations, a)
		}
	}
	out.Returned = len(out.Annotations)
	s.answer(w, http.StatusOK, out)
}

// recentAnnotations is the answer to GET /annotations.
type recentAnnotations struct {
	Total       int          `json:"total"`
	Annotations []store.Note `json:"annotations"`
}

// getRecentAnnotations is GET /annotations: those of all sessions, the last to
// be written first. Parameters: type (comma-separated), author, agent, limit and
// offset.
func (s *Server) getRecentAnnotations(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	q := store.NoteQuery{Types: list(v.Get("type")), Author: v.Get("author"), Agent: v.Get("agent")}
	var err error
	if q.Limit, q.Offset, err = page(r, 50, 200); err != nil {
		s.fail(w, r, err)
		return
	}
	var out recentAnnotations
	if out.Annotations, out.Total, err = s.store.Notes(r.Context(), q); err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, out)
}

// postAnnotation answers 201 with the annotation, or 200 with the one that was
// already there.
func (s *Server) postAnnotation(w http.ResponseWriter, r *http.Request) {
	var in wire.Annotation
	if !s.readFinding(w, r, &in) {
		return
	}
	in.Author, in.Type = cmp.Or(in.Author, "system"), cmp.Or(in.Type, wire.AnnotationNote)
	if strings.TrimSpace(in.Text) == "" {
		s.fail(w, r, &analysis.FieldError{Field: "text", Value: "empty", Want: "some text"})
		return
	}
	if err := checkAnnotation(in); err != nil {
		s.fail(w, r, err)
		return
	}
	a, added, err := s.store.Annotate(r.Context(), r.PathValue("id"), in)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	status := http.StatusOK
	if added {
		status = http.StatusCreated
		s.hub.publish(a.SessionID)
	}
	s.answer(w, status, a)
}

// putAnnotation is PUT /sessions/{id}/annotations/{annotation}: it changes the
// text, author or type that the body has.
func (s *Server) putAnnotation(w http.ResponseWriter, r *http.Request) {
	var in wire.Annotation
	if !s.readFinding(w, r, &in) {
		return
	}
	in.EventID, in.AlertGroup, in.Text = "", wire.AlertGroup{}, strings.TrimSpace(in.Text)
	if in == (wire.Annotation{}) {
		refuse(w, http.StatusBadRequest, "there is nothing to change, want text, author or type")
		return
	}
	if err := checkAnnotation(in); err != nil {
		s.fail(w, r, err)
		return
	}
	id, err := annotationID(r)
	var a *store.Annotation
	if err == nil {
		a, err = s.store.UpdateAnnotation(r.Context(), r.PathValue("id"), id, in)
	}
	if err != nil {
		s.failAnnotation(w, r, err)
		return
	}
	s.hub.publish(a.SessionID)
	s.answer(w, http.StatusOK, a)
}

// deleteAnnotation is DELETE /sessions/{id}/annotations/{annotation}.
func (s *Server) deleteAnnotation(w http.ResponseWriter, r *http.Request) {
	id, err := annotationID(r)
	if err == nil {
		err = s.store.RemoveAnnotation(r.Context(), r.PathValue("id"), id)
	}
	if err != nil {
		s.failAnnotation(w, r, err)
		return
	}
	s.hub.publish(r.PathValue("id"))
	s.answer(w, http.StatusOK, map[string]any{"deleted": true, "annotation_id": strconv.FormatInt(id, 10)})
}

func (s *Server) failAnnotation(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		refuse(w, http.StatusNotFound, "Annotation not found")
	case errors.Is(err, store.ErrSameAnnotation):
		refuse(w, http.StatusConflict, store.ErrSameAnnotation.Error())
	default:
		s.fail(w, r, err)
	}
}

func annotationID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("annotation"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

// checkAnnotation checks what an annotation has; what it has not is for the
// caller.
func checkAnnotation(a wire.Annotation) error {
	if n := utf8.RuneCountInString(a.Text); n > wire.MaxAnnotationChars {
		return &analysis.FieldError{Field: "text", Value: fmt.Sprintf("%d characters long", n), Want: fmt.Sprintf("%d at most", wire.MaxAnnotationChars)}
	}
	if n := utf8.RuneCountInString(a.Author); n > wire.MaxIDChars {
		return &analysis.FieldError{Field: "author", Value: fmt.Sprintf("%d characters long", n), Want: fmt.Sprintf("%d at most", wire.MaxIDChars)}
	}
	if a.EventID != "" && !wire.ValidID(a.EventID) {
		return &analysis.FieldError{Field: "event_id", Value: short(a.EventID), Want: wantID}
	}
	g := a.AlertGroup
	switch g.By {
	case "", "none", "agent", "session", "model":
	default:
		return &analysis.FieldError{Field: "alert_group.by", Value: short(g.By), Want: "none, agent, session or model"}
	}
	if n := utf8.RuneCountInString(g.Value); n > wire.MaxStringChars {
		return &analysis.FieldError{Field: "alert_group.value", Value: fmt.Sprintf("%d characters long", n), Want: fmt.Sprintf("%d at most", wire.MaxStringChars)}
	}
	if g.StateID != "" && !wire.ValidID(g.StateID) {
		return &analysis.FieldError{Field: "alert_group.state_id", Value: short(g.StateID), Want: wantID}
	}
	switch a.Type {
	case "", wire.AnnotationNote, wire.AnnotationBug, wire.AnnotationInsight, wire.AnnotationWarning, wire.AnnotationMilestone:
	default:
		return &analysis.FieldError{Field: "type", Value: short(a.Type), Want: "note, bug, insight, warning or milestone"}
	}
	return nil
}
