package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxFindingBytes bounds the body of a tag or annotation request.
const maxFindingBytes = 64 << 10

var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_\-.:/ ]+$`)

// tagList is the answer to GET, POST and DELETE /sessions/{id}/tags: the whole
// set, and how many tags came to it or went.
type tagList struct {
	SessionID string   `json:"session_id"`
	Tags      []string `json:"tags"`
	Added     *int     `json:"added,omitempty"`
	Removed   *int     `json:"removed,omitempty"`
}

func (s *Server) getTags(w http.ResponseWriter, r *http.Request) {
	sess, err := s.store.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, tagList{SessionID: sess.ID, Tags: sess.Tags})
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
	all, added, err := s.store.AddTags(r.Context(), id, in.Tags)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.publish(id)
	s.answer(w, http.StatusOK, tagList{SessionID: id, Tags: all, Added: &added})
}

// deleteTags takes the tags of the body {"tags":[…]} from a session; without
// any, all.
func (s *Server) deleteTags(w http.ResponseWriter, r *http.Request) {
	var in wire.Tags
	if r.ContentLength != 0 {
		if !s.readFinding(w, r, &in) {
			return
		}
	}
	if len(in.Tags) > 0 {
		if err := checkTags(in.Tags); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	id := r.PathValue("id")
	left, removed, err := s.store.RemoveTags(r.Context(), id, in.Tags)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.publish(id)
	s.answer(w, http.StatusOK, tagList{SessionID: id, Tags: left, Removed: &removed})
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

// sessionsByTag is the answer to GET /sessions/by-tag/{tag}.
type sessionsByTag struct {
	sessionList
	Tag string `json:"tag"`
}

func (s *Server) getSessionsByTag(w http.ResponseWriter, r *http.Request) {
	tags := []string{r.PathValue("tag")}
	if err := checkTags(tags); err != nil {
		s.fail(w, r, err)
		return
	}
	var found sessionsByTag
	q, err := sessionQuery(r, defaultSessions)
	if err == nil {
		q.Tags = append(q.Tags, tags[0])
		found.Limit, found.Offset, found.Tag = q.Limit, q.Offset, tags[0]
		found.Sessions, found.Total, err = s.store.Sessions(r.Context(), q)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, found)
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
