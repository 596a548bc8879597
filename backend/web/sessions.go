package web

import (
	"io"
	"net/url"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// SessionList is what the page of sessions shows.
type SessionList struct {
	Sessions []store.Session
	Totals   store.Totals
	Paging   Paging
	// Query holds the filters as they were asked for.
	Query url.Values
	// Agents, Models, Tools and Tags are those there are.
	Agents, Models, Tools, Tags []string
	// Error says which filter cannot be.
	Error string
}

// Sessions writes the page that lists sessions.
func (p *Pages) Sessions(w io.Writer, v SessionList) error {
	return p.write(w, "sessions", "sessions", true, v)
}

// Filtered reports whether the list is restricted.
func (l SessionList) Filtered() bool {
	for key := range l.Query {
		if key != "limit" && key != "offset" && key != "sort" && key != "order" && l.Query.Get(key) != "" {
			return true
		}
	}
	return false
}

// Get returns a filter as it was asked for.
func (l SessionList) Get(key string) string { return l.Query.Get(key) }

// Sorted returns the link that orders the list by key, the other way round if
// it is.
func (l SessionList) Sorted(key string) string {
	q := url.Values{}
	for k, v := range l.Query {
		q[k] = v
	}
	q.Del("offset")
	q.Set("sort", key)
	q.Del("order")
	if l.Order(key) == "descending" {
		q.Set("order", "asc")
	}
	return "?" + q.Encode()
}

// Order returns how a column orders the list, as aria-sort has it; empty when
// it does not.
func (l SessionList) Order(key string) string {
	current := l.Query.Get("sort")
	if current == "" {
		current = "started_at"
	}
	switch {
	case current != key:
		return ""
	case l.Query.Get("order") == "asc":
		return "ascending"
	}
	return "descending"
}

// statuses are those to restrict the list to; the empty one is all.
func statuses() []string {
	return []string{"", string(analysis.StatusActive), string(analysis.StatusCompleted), string(analysis.StatusError), string(analysis.StatusTimeout)}
}

// tagURL is the list of the sessions with a tag.
func tagURL(tag string) string { return "/ui/sessions?" + url.Values{"tag": {tag}}.Encode() }

// telling returns the tags that a list shows: that a session kept its policies
// goes without saying.
func telling(tags []string) []string {
	var out []string
	for _, tag := range tags {
		if tag != "compliance:pass" {
			out = append(out, tag)
		}
	}
	return out
}
