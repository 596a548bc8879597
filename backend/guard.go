package backend

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/agentlens/agentlens-otel/backend/web"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// guard refuses what must not reach a handler. Three attacks come through a
// browser on the same machine, which reaches a server on localhost: a page
// whose name was rebound to 127.0.0.1 (the Host header tells), a page of
// another origin that posts here, and a page that loads ours into a frame or
// runs a script in it (the headers tell the browser not to).
func (s *Server) guard(next http.Handler) http.Handler {
	next = s.checkKey(next)
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "a page of another origin may not post here")
	}))
	next = crossOrigin.Handler(next)
	next = s.checkHost(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", web.ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// checkHost lets pass localhost, IP addresses (a rebound name is a name) and
// the configured names.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostname(r.Host)
		if !isLocal(name) && !slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return strings.EqualFold(h, name) }) {
			refuse(w, http.StatusForbidden, fmt.Sprintf("host %q is not one this server answers for: use localhost or an IP address, or add it to allowed_hosts", name))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(name string) bool {
	if strings.EqualFold(name, "localhost") || strings.HasSuffix(strings.ToLower(name), ".localhost") {
		return true
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

// hostname returns the Host header without its port, and an IPv6 address
// without its brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// checkKey asks for the API key, where one is set, in the header of the wire
// or, so that a browser can open the pages, as the password of HTTP Basic
// authentication.
func (s *Server) checkKey(next http.Handler) http.Handler {
	if s.cfg.APIKey == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.cfg.APIKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOpen(r.URL.Path) && !sameKey(want, givenKey(r)) {
			w.Header().Set("WWW-Authenticate", `Basic realm="AgentLens: the API key is the password", charset="UTF-8"`)
			refuse(w, http.StatusUnauthorized, "Invalid or missing API key")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOpen reports whether a path is answered without a key.
func isOpen(path string) bool { return path == "/health" || strings.HasPrefix(path, web.StaticPath) }

func givenKey(r *http.Request) string {
	if key := r.Header.Get(wire.HeaderAPIKey); key != "" {
		return key
	}
	_, password, _ := r.BasicAuth()
	return password
}

// sameKey compares digests, so that neither the key's bytes nor its length
// show in the time it takes.
func sameKey(want [sha256.Size]byte, given string) bool {
	got := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}
