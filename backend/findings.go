package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxFindingBytes bounds the body of a tag or annotation request.
const maxFindingBytes = 64 << 10

var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-.:/ ]+$`)

// tagList is the answer to GET and POST /sessions/{id}/tags: the whole set.
type tagList struct {
	SessionID string   `json:"session_id"`
	Tags      []string `json:"tags"`
}

func (s *Server) getTags(w http.ResponseWriter, r *http.Request) {
	sess, err := s.store.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, tagList{sess.ID, sess.Tags})
}

func (s *Server) postTags(w http.ResponseWriter, r *http.Request) {
	var in wire.Tags
	if !s.readFinding(w, r, &in) {
		return
	}
	if err := checkTags(in.Tags); err != nil {
		s.fail(w, r, err)
		return
	}
	id := r.PathValue("id")
	all, err := s.store.AddTags(r.Context(), id, in.Tags)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.publish(id)
	s.answer(w, http.StatusOK, tagList{id, all})
}

// deleteTags takes the tags of the body {"tags":[…]} from a session; without a
// body, all.
func (s *Server) deleteTags(w http.ResponseWriter, r *http.Request) {
	var in wire.Tags
	if r.ContentLength != 0 {
		if !s.readFinding(w, r, &in) {
			return
		}
		if err := checkTags(in.Tags); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	id := r.PathValue("id")
	left, err := s.store.RemoveTags(r.Context(), id, in.Tags)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.publish(id)
	s.answer(w, http.StatusOK, tagList{id, left})
}

// tagCount is a tag and how many sessions have it.
type tagCount struct {
	Tag      string `json:"tag"`
	Sessions int64  `json:"session_count"`
}

// getAllTags is GET /sessions/tags: every tag there is.
func (s *Server) getAllTags(w http.ResponseWriter, r *http.Request) {
	counts, err := s.store.Tags(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	tags := make([]tagCount, len(counts))
	for i, c := range counts {
		tags[i] = tagCount{c.Name, c.N}
	}
	s.answer(w, http.StatusOK, map[string]any{"tags": tags})
}

// checkTags trims the tags in place.
func checkTags(tags []string) error {
	if len(tags) == 0 {
		return &analysis.FieldError{Field: "tags", Value: "empty", Want: `an array of tags, as {"tags":["a","b"]}`}
	}
	for i, tag := range tags {
		tags[i] = strings.TrimSpace(tag)
		if len(tags[i]) > wire.MaxTagChars || !tagPattern.MatchString(tags[i]) {
			return &analysis.FieldError{
				Field: fmt.Sprintf("tags[%d]", i), Value: short(tag),
				Want: fmt.Sprintf("1 to %d of a-z A-Z 0-9 _ - . : / and space", wire.MaxTagChars),
			}
		}
	}
	return nil
}

// annotationList is the answer to GET /sessions/{id}/annotations.
type annotationList struct {
	SessionID   string             `json:"session_id"`
	Annotations []store.Annotation `json:"annotations"`
	Total       int                `json:"total"`
}

func (s *Server) getAnnotations(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	all, err := s.store.Annotations(r.Context(), id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, annotationList{id, all, len(all)})
}

// postAnnotation answers 201 with the annotation, or 200 with the one that was
// already there.
func (s *Server) postAnnotation(w http.ResponseWriter, r *http.Request) {
	var in wire.Annotation
	if !s.readFinding(w, r, &in) {
		return
	}
	if err := checkAnnotation(&in); err != nil {
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

// deleteAnnotation is DELETE /sessions/{id}/annotations/{annotation}.
func (s *Server) deleteAnnotation(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("annotation"), 10, 64)
	if err == nil {
		err = s.store.RemoveAnnotation(r.Context(), r.PathValue("id"), n)
	} else {
		err = store.ErrNotFound
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		refuse(w, http.StatusNotFound, "Annotation not found")
	case err != nil:
		s.fail(w, r, err)
	default:
		s.hub.publish(r.PathValue("id"))
		s.answer(w, http.StatusOK, map[string]any{"status": "ok", "deleted": n})
	}
}

// checkAnnotation fills in the type of an annotation that has none.
func checkAnnotation(a *wire.Annotation) error {
	if strings.TrimSpace(a.Text) == "" {
		return &analysis.FieldError{Field: "text", Value: "empty", Want: "some text"}
	}
	if n := utf8.RuneCountInString(a.Text); n > wire.MaxAnnotationChars {
		return &analysis.FieldError{Field: "text", Value: fmt.Sprintf("%d characters long", n), Want: fmt.Sprintf("%d at most", wire.MaxAnnotationChars)}
	}
	if n := utf8.RuneCountInString(a.Author); n > wire.MaxIDChars {
		return &analysis.FieldError{Field: "author", Value: fmt.Sprintf("%d characters long", n), Want: fmt.Sprintf("%d at most", wire.MaxIDChars)}
	}
	if a.EventID != "" && !wire.ValidID(a.EventID) {
		return &analysis.FieldError{Field: "event_id", Value: short(a.EventID), Want: wantID}
	}
	switch a.Type {
	case "":
		a.Type = wire.AnnotationNote
	case wire.AnnotationNote, wire.AnnotationBug, wire.AnnotationInsight, wire.AnnotationWarning, wire.AnnotationMilestone:
	default:
		return &analysis.FieldError{Field: "type", Value: short(a.Type), Want: "note, bug, insight, warning or milestone"}
	}
	return nil
}

// readFinding reads the body into v. It answers the request itself and returns
// false when it cannot.
func (s *Server) readFinding(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := readBody(w, r, maxFindingBytes)
	if err != nil {
		refuseBody(w, err, maxFindingBytes)
		return false
	}
	if err := json.Unmarshal(body, v); err != nil {
		text := "the body is not valid JSON: " + err.Error()
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			text = fmt.Sprintf("%s is a JSON %s, want %s", wrong.Field, wrong.Value, wrong.Type)
		}
		refuse(w, http.StatusBadRequest, text)
		return false
	}
	return true
}
