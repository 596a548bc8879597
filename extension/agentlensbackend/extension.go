package agentlensbackend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/agentlens/agentlens-otel/backend"
	"github.com/agentlens/agentlens-otel/backend/insight"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// backendExtension runs a backend.Server. Extensions start before pipelines
// and stop after them, so the exporter finds it up, and can drain its queue
// into it at shutdown.
type backendExtension struct {
	cfg *Config
	set extension.Settings

	backend *backend.Server
	server  *http.Server
	addr    net.Addr
	served  chan struct{} // closed when the serving goroutine has returned
	traces  traces
}

var _ extension.Extension = (*backendExtension)(nil)

// Start takes the port, opens the store and serves. The port comes first: a
// second collector on the same machine should say that it is busy before it
// touches the database.
func (e *backendExtension) Start(ctx context.Context, host component.Host) error {
	listener, err := e.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return e.listenError(err)
	}
	if err := e.serve(ctx, host, listener); err != nil {
		return errors.Join(err, listener.Close(), e.Shutdown(ctx))
	}
	return nil
}

func (e *backendExtension) serve(ctx context.Context, host component.Host, listener net.Listener) (err error) {
	e.backend, err = backend.New(ctx, backend.Config{
		Directory: e.cfg.Directory,
		APIKey:    string(e.cfg.APIKey),
		Hosts:     e.cfg.hosts(),
		Version:   e.set.BuildInfo.Version,

		Retention: store.Retention{MaxAge: e.cfg.Retention.MaxAge, MaxBytes: e.cfg.Retention.MaxSizeMiB << 20},
		Figures:   insight.Settings{Drift: e.cfg.Drift, Budgets: e.cfg.Budgets},
		TraceURL:  e.cfg.TraceURLTemplate,
		Traces:    &e.traces,
	}, e.set.Logger)
	if err != nil {
		return err
	}
	server := e.cfg.ServerConfig
	if server.MaxRequestBodySize <= 0 {
		server.MaxRequestBodySize = wire.MaxBatchBytes
	}
	srv, err := server.ToServer(ctx, host.GetExtensions(), e.set.TelemetrySettings, e.backend.Handler(),
		confighttp.WithErrorHandler(writeError))
	if err != nil {
		return fmt.Errorf("make the HTTP server: %w", err)
	}
	served := make(chan struct{})
	e.server, e.served, e.addr = srv, served, listener.Addr()
	go func() {
		defer close(served)
		if err := srv.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve the AgentLens backend: %w", err)))
		}
	}()
	e.set.Logger.Info("AgentLens backend is up", zap.String("url", e.url()), zap.String("directory", e.cfg.Directory), zap.Bool("api_key", e.cfg.APIKey != ""))
	return nil
}

// writeError answers what the server around the backend refuses, in the words of
// the path it is for.
func writeError(w http.ResponseWriter, r *http.Request, text string, code int) {
	if r.URL.Path == tracesPath {
		refuseOTLP(w, r, code, status.New(codes.InvalidArgument, text))
		return
	}
	backend.WriteError(w, r, text, code)
}

// Shutdown stops accepting requests, waits for the running ones until ctx is
// done, and closes the store. It may be called without Start, and twice.
func (e *backendExtension) Shutdown(ctx context.Context) error {
	var errs []error
	if e.backend != nil {
		e.backend.EndStreams()
	}
	if e.server != nil {
		if err := e.server.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop serving: %w", err), e.server.Close())
		}
		e.server = nil
	}
	if e.served != nil {
		<-e.served
		e.served = nil
	}
	if e.backend != nil {
		errs = append(errs, e.backend.Close())
		e.backend = nil
	}
	return errors.Join(errs...)
}

// url returns where the pages are.
func (e *backendExtension) url() string {
	scheme := "http"
	if e.cfg.ServerConfig.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + e.addr.String() + "/"
}

func (e *backendExtension) listenError(err error) error {
	endpoint := e.cfg.ServerConfig.NetAddr.Endpoint
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program: stop it, or set `endpoint` of extension %s to another address: %w", endpoint, e.set.ID, err)
	}
	return fmt.Errorf("listen on %s: %w", endpoint, err)
}
