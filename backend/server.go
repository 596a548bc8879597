package backend

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/backend/insight"
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
	// Retention says what is kept; the zero one keeps everything.
	Retention store.Retention
	// Figures are what the figures are made by; the zero Settings are the
	// defaults.
	Figures insight.Settings
	// TraceURL leads to a trace in a tracing backend: a URL in which
	// {trace_id}, and {session_id} where it occurs, are replaced. Empty = no
	// link.
	TraceURL string
	// Traces serves POST /v1/traces; nil = the backend has no such resource. It
	// is behind the checks that all else is behind.
	Traces http.Handler
}

// Server answers the API and shows the pages. The zero Server is of no use;
// make one with New.
type Server struct {
	cfg     Config
	log     *zap.Logger
	store   *store.Store
	figures *insight.Source
	prices  prices
	pages   *web.Pages
	hub     hub
	handler http.Handler
	started time.Time

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// New opens the store and returns a server on it. It does not listen: serve
// Handler.
func New(ctx context.Context, cfg Config, log *zap.Logger) (*Server, error) {
	pages, err := web.New(cfg.TraceURL)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, filepath.Join(cfg.Directory, Database))
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, store: st, pages: pages, started: time.Now()}
	s.figures = insight.New(st, orDefault(cfg.Figures), time.Now)
	if err := s.prices.load(ctx, st); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s.handler = s.guard(s.routes())
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	if cfg.Retention != (store.Retention{}) {
		s.tasks.Go(func() { s.sweepUntil(background) })
	}
	return s, nil
}

// Handler answers every request, with an error of the wire's shape where it
// cannot.
func (s *Server) Handler() http.Handler { return s.handler }

// SetFigures changes what the figures are made by. A field that is zero is the
// default.
func (s *Server) SetFigures(settings insight.Settings) { s.figures.Set(orDefault(settings)) }

func orDefault(settings insight.Settings) insight.Settings {
	def := insight.DefaultSettings()
	settings.Drift.BaselineSessions = cmp.Or(settings.Drift.BaselineSessions, def.Drift.BaselineSessions)
	settings.Drift.CurrentSessions = cmp.Or(settings.Drift.CurrentSessions, def.Drift.CurrentSessions)
	settings.Method = cmp.Or(settings.Method, def.Method)
	return settings
}

// EndStreams ends the streams of changes, which would otherwise keep a server
// from shutting down. Call it before that.
func (s *Server) EndStreams() { s.hub.close() }

// Close closes the store. Stop serving first.
func (s *Server) Close() error {
	s.EndStreams()
	s.stop()
	s.tasks.Wait()
	return s.store.Close()
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.getHealth)

	// The original's.
	mux.HandleFunc("POST /events", s.postEvents)
	mux.HandleFunc("GET /events", s.getEvents)
	mux.HandleFunc("GET /events/search", s.getEvents)
	mux.HandleFunc("GET /sessions", s.getSessions)
	mux.HandleFunc("GET /sessions/search", s.searchSessions)
	mux.HandleFunc("GET /sessions/tags", s.getAllTags)
	mux.HandleFunc("POST /sessions/compare", s.postCompare)
	mux.HandleFunc("GET /sessions/{id}", s.getSession)
	mux.HandleFunc("GET /sessions/{id}/events", s.getSessionEvents)
	mux.HandleFunc("GET /sessions/{id}/events/search", s.searchSession)
	mux.HandleFunc("GET /sessions/{id}/explain", s.getExplain)
	mux.HandleFunc("GET /sessions/{id}/export", s.getExport)
	mux.HandleFunc("GET /sessions/{id}/tags", s.getTags)
	mux.HandleFunc("POST /sessions/{id}/tags", s.postTags)
	mux.HandleFunc("DELETE /sessions/{id}/tags", s.deleteTags)
	mux.HandleFunc("GET /sessions/{id}/annotations", s.getAnnotations)
	mux.HandleFunc("POST /sessions/{id}/annotations", s.postAnnotation)
	mux.HandleFunc("PUT /sessions/{id}/annotations/{annotation}", s.putAnnotation)
	mux.HandleFunc("DELETE /sessions/{id}/annotations/{annotation}", s.deleteAnnotation)
	mux.HandleFunc("GET /annotations", s.getRecentAnnotations)
	mux.HandleFunc("GET /analytics", s.getAnalytics)
	mux.HandleFunc("GET /analytics/costs", s.getCosts)
	mux.HandleFunc("GET /analytics/heatmap", s.getHeatmap)
	mux.HandleFunc("GET /pricing", s.getPricing)
	mux.HandleFunc("PUT /pricing", s.putPricing)
	mux.HandleFunc("DELETE /pricing/{model}", s.deletePricing)
	mux.HandleFunc("GET /pricing/costs/{id}", s.getSessionCosts)
	mux.HandleFunc("GET /alerts/rules", s.getAlertRules)
	mux.HandleFunc("POST /alerts/rules", s.postAlertRule)
	mux.HandleFunc("PUT /alerts/rules/{rule}", s.putAlertRule)
	mux.HandleFunc("DELETE /alerts/rules/{rule}", s.deleteAlertRule)
	mux.HandleFunc("GET /alerts/metrics", s.getAlertMetrics)
	mux.HandleFunc("POST /alerts/evaluate", s.postEvaluate)
	mux.HandleFunc("GET /alerts/events", s.getAlertEvents)
	mux.HandleFunc("PUT /alerts/events/{alert}/acknowledge", s.putAcknowledge)

	// Our own.
	mux.HandleFunc("GET /api/overview", s.getOverview)
	mux.HandleFunc("GET /api/forecast", s.getForecast)
	mux.HandleFunc("GET /api/agents", s.getAgents)
	mux.HandleFunc("GET /api/agents/{name}/forecast", s.getForecast)
	mux.HandleFunc("GET /api/agents/{name}/drift", s.getDrift)
	mux.HandleFunc("GET /api/agents/{name}/compliance", s.getCompliance)
	mux.HandleFunc("GET /api/stream", s.getStream)
	if s.cfg.Traces != nil {
		mux.Handle("POST /v1/traces", s.cfg.Traces)
	}

	mux.HandleFunc("GET /{$}", s.pageOverview)
	mux.HandleFunc("GET /ui/sessions", s.pageSessions)
	mux.HandleFunc("GET /ui/sessions/{id}", s.pageSession)
	mux.HandleFunc("GET /ui/compare", s.pageCompare)
	mux.HandleFunc("GET /ui/agents", s.pageAgents)
	mux.HandleFunc("GET /ui/agents/{name}", s.pageAgent)
	mux.HandleFunc("GET /ui/alerts", s.pageAlerts)
	mux.Handle("GET "+web.StaticPath, s.pages.Static())

	// Its pattern overlaps those of a session, and one mux would not choose.
	all := http.NewServeMux()
	all.HandleFunc("GET /sessions/by-tag/{tag...}", s.getSessionsByTag)
	all.Handle("/", jsonErrors(mux))
	return all
}
