package backend

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// newTraces returns the handler of POST /v1/traces: it hands OTLP/HTTP on to
// the collector's own receiver, so that spans sent to the backend's port take
// the one road through the pipeline. Without a receiver it says where to send
// spans to.
func newTraces(endpoint string, log *zap.Logger) (http.Handler, error) {
	if endpoint == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusNotImplemented, "this backend takes no spans: send OTLP to the collector, by default http://localhost:4318")
		}), nil
	}
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("OTLP endpoint %q: want a URL as http://localhost:4318", endpoint)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
			// The key is the backend's, and not for the receiver.
			r.Out.Header.Del(wire.HeaderAPIKey)
			r.Out.Header.Del("Authorization")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Warn("The OTLP receiver cannot be reached", zap.String("endpoint", endpoint), zap.Error(err))
			refuse(w, http.StatusBadGateway, "the collector's OTLP receiver cannot be reached")
		},
	}, nil
}
