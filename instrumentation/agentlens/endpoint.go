package agentlens

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// tracesPath is where OTLP/HTTP takes spans.
const tracesPath = "/v1/traces"

// defaultExportTimeout is that of the OTLP exporter specification.
const defaultExportTimeout = 10 * time.Second

// endpointFromEnv returns the URL that the environment gives for spans, else
// the default. The variable for traces is taken as it is, the one for all
// signals is a base URL.
func endpointFromEnv() (string, error) {
	if name, v := otlpEnv("ENDPOINT"); v != "" {
		u, err := parseEndpoint(name, v)
		if err != nil {
			return "", err
		}
		if strings.Contains(name, "TRACES") {
			return u.String(), nil
		}
		return u.JoinPath(tracesPath).String(), nil
	}
	return DefaultEndpoint + tracesPath, nil
}

// parseEndpoint checks a URL that the option or variable of the given name
// holds. The exporter itself would replace a bad one by its default.
func parseEndpoint(name, raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		if u != nil && u.User != nil {
			raw = u.Redacted()
		}
		return nil, &FieldError{
			Field: name, Value: strconv.Quote(raw),
			Want: "a URL such as http://localhost:4318, without user, query or fragment",
		}
	}
	return u, nil
}

func withTracesPath(u *url.URL) string {
	if u.Path == "" || u.Path == "/" {
		return u.JoinPath(tracesPath).String()
	}
	return u.String()
}

// sendsInClear reports whether what goes to the URL can be read on a network.
func sendsInClear(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" {
		return false
	}
	host := u.Hostname()
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// otlpEnv returns a variable of the OTLP exporter: the one for traces if it is
// set, else the one for all signals.
func otlpEnv(key string) (name, value string) {
	for _, prefix := range [...]string{"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"} {
		name = prefix + key
		if value = strings.TrimSpace(os.Getenv(name)); value != "" {
			return name, value
		}
	}
	return name, ""
}

// exportTimeoutFromEnv returns how long one attempt to export may take.
func exportTimeoutFromEnv() (time.Duration, error) {
	name, v := otlpEnv("TIMEOUT")
	if v == "" {
		return defaultExportTimeout, nil
	}
	ms, err := strconv.Atoi(v)
	if err != nil || ms <= 0 {
		return 0, &FieldError{Field: name, Value: strconv.Quote(v), Want: "milliseconds, more than 0"}
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// tlsFromEnv returns what the certificate variables say, nil when they say
// nothing. The exporter reads them too, but only for an HTTP client of its own.
func tlsFromEnv() (*tls.Config, error) {
	var cfg *tls.Config
	if name, file := otlpEnv("CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, &FieldError{Field: name, Value: strconv.Quote(file), Want: "a file with a PEM certificate"}
		}
		cfg = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	name, certFile := otlpEnv("CLIENT_CERTIFICATE")
	_, keyFile := otlpEnv("CLIENT_KEY")
	if certFile != "" && keyFile != "" {
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if cfg == nil {
			cfg = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}
