package backend

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/backend/web"
)

// Database is the name of the database's file in Config.Directory.
const Database = "agentlens.db"

// Config says what a Server does.
type Config struct {
	// Directory is where the database lives. It is made when missing.
	Directory string
	// APIKey is asked of every request but those for /health and the style
	// sheet; empty = none is asked.
	APIKey string
	// Hosts are names under which the server may be addressed, beside
	// localhost and IP addresses. A request for another is refused.
	Hosts []string
	// Version is what /health says.
	Version string
}

// Server answers the API and shows the pages. The zero Server is of no use;
// make one with New.
type Server struct {
	cfg     Config
	log     *zap.Logger
	store   *store.Store
	pages   *web.Pages
	handler http.Handler
	started time.Time
}

// New opens the store and returns a server on it. It does not listen: serve
// Handler.
func New(ctx context.Context, cfg Config, log *zap.Logger) (*Server, error) {
	pages, err := web.New()
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, filepath.Join(cfg.Directory, Database))
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, store: st, pages: pages, started: time.Now()}
	s.handler = s.guard(s.routes())
	return s, nil
}

// Handler answers every request, with an error of the wire's shape where it
// cannot.
func (s *Server) Handler() http.Handler { return s.handler }

// Close closes the store. Stop serving first.
func (s *Server) Close() error { return s.store.Close() }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.getHealth)

	mux.HandleFunc("POST /events", s.postEvents)
	mux.HandleFunc("GET /sessions", s.getSessions)
	mux.HandleFunc("GET /sessions/{id}", s.getSession)
	mux.HandleFunc("GET /sessions/{id}/events", s.getSessionEvents)
	mux.HandleFunc("GET /sessions/{id}/explain", s.getExplain)
	mux.HandleFunc("GET /sessions/{id}/tags", s.getTags)
	mux.HandleFunc("POST /sessions/{id}/tags", s.postTags)
	mux.HandleFunc("GET /sessions/{id}/annotations", s.getAnnotations)
	mux.HandleFunc("POST /sessions/{id}/annotations", s.postAnnotation)

	mux.HandleFunc("GET /{$}", s.pageSessions)
	mux.HandleFunc("GET /ui/sessions/{id}", s.pageSession)
	mux.Handle("GET "+web.StaticPath, s.pages.Static())
	return jsonErrors(mux)
}
