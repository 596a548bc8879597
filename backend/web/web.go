package web

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

// StaticPath is where the pages look for Static.
const StaticPath = "/static/"

// ContentSecurityPolicy is the header the pages are written for: they load
// scripts, styles and data from here and nothing else, run and style nothing
// inline, and no page may frame them.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed templates static
var files embed.FS

// pageNames are the templates, one a page.
var pageNames = []string{"overview", "sessions", "session", "compare", "agents", "agent", "alerts", "problem"}

// Pages renders the pages. Its methods may be called concurrently.
type Pages struct {
	templates map[string]*template.Template
	static    http.Handler
	traceURL  string
}

// New parses the embedded templates. traceURL is a URL in which {trace_id} and
// {session_id} are replaced to lead to a trace; empty = no such links.
func New(traceURL string) (*Pages, error) {
	if traceURL != "" {
		u, err := url.Parse(strings.NewReplacer("{trace_id}", "0", "{session_id}", "0").Replace(traceURL))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("trace URL template %q: want a URL as http://localhost:16686/trace/{trace_id}", traceURL)
		}
	}
	p := &Pages{templates: map[string]*template.Template{}, traceURL: traceURL}
	for _, name := range pageNames {
		t, err := template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("template of page %s: %w", name, err)
		}
		p.templates[name] = t
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	p.static = http.StripPrefix(StaticPath, http.FileServerFS(static))
	return p, nil
}

// Static serves the style sheet, the scripts and the icon, below StaticPath.
func (p *Pages) Static() http.Handler { return p.static }

// page is what the layout shows.
type page struct {
	// Nav is the entry of the navigation that the page belongs to.
	Nav string
	// Live names the parts of the page that are fetched again when sessions
	// change; empty for none.
	Live bool
	V    any
}

func (p *Pages) write(w io.Writer, name, nav string, live bool, v any) error {
	return p.templates[name].Execute(w, page{nav, live, v})
}

// Problem is what the page for a failed request shows.
type Problem struct {
	Title, Text string
}

// Problem writes the page for a failed request.
func (p *Pages) Problem(w io.Writer, v Problem) error { return p.write(w, "problem", "", false, v) }
