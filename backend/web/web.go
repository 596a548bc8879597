package web

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"

	"github.com/agentlens/agentlens-otel/backend/store"
)

// StaticPath is where the pages look for Static.
const StaticPath = "/static/"

// ContentSecurityPolicy is the header the pages are written for: they load
// their style sheet and nothing else, and no page may frame them.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed templates static
var files embed.FS

// Pages renders the pages. Its methods may be called concurrently.
type Pages struct {
	sessions, session, problem *template.Template
	static                     http.Handler
}

// New parses the embedded templates.
func New() (*Pages, error) {
	p := &Pages{}
	for name, to := range map[string]**template.Template{"sessions": &p.sessions, "session": &p.session, "problem": &p.problem} {
		t, err := template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("template of page %s: %w", name, err)
		}
		*to = t
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	p.static = http.StripPrefix(StaticPath, http.FileServerFS(static))
	return p, nil
}

// Static serves the style sheet, below StaticPath.
func (p *Pages) Static() http.Handler { return p.static }

// SessionList is what the page of sessions shows.
type SessionList struct {
	Sessions []store.Session
	Paging   Paging
	// Status is the one the list is restricted to; empty = all.
	Status string
}

// Sessions writes the page that lists sessions.
func (p *Pages) Sessions(w io.Writer, v SessionList) error { return p.sessions.Execute(w, v) }

// Session is what the page of one session shows.
type Session struct {
	store.Detail
	Paging Paging
	// Explanation is Markdown, shown as it is.
	Explanation string
}

// Findings returns the annotations of the whole session, and those of events
// that are not on this page.
func (s Session) Findings() []store.Annotation {
	shown := make(map[string]bool, len(s.Events))
	for i := range s.Events {
		shown[s.Events[i].ID] = true
	}
	var out []store.Annotation
	for _, a := range s.Annotations {
		if !shown[a.EventID] {
			out = append(out, a)
		}
	}
	return out
}

// Pinned returns the annotations of an event.
func (s Session) Pinned(eventID string) []store.Annotation {
	var out []store.Annotation
	for _, a := range s.Annotations {
		if a.EventID == eventID {
			out = append(out, a)
		}
	}
	return out
}

// Session writes the page of one session.
func (p *Pages) Session(w io.Writer, v Session) error { return p.session.Execute(w, v) }

// Problem is what the page for a failed request shows.
type Problem struct {
	Title, Text string
}

// Problem writes the page for a failed request.
func (p *Pages) Problem(w io.Writer, v Problem) error { return p.problem.Execute(w, v) }
