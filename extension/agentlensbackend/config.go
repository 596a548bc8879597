package agentlensbackend

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

// Config is the configuration of the extension.
type Config struct {
	// ServerConfig holds where to listen and how: endpoint (default
	// localhost:3000), tls, auth and the other keys of confighttp.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// APIKey is asked of every request in the header X-API-Key, or as the
	// password of HTTP Basic authentication, but for /health and the style
	// sheet. Empty, the default: none is asked.
	APIKey configopaque.String `mapstructure:"api_key"`

	// Directory is where the database agentlens.db lives; it is made when
	// missing. Default ./.agentlens.
	Directory string `mapstructure:"directory"`

	// AllowedHosts are host names under which the backend may be addressed,
	// beside localhost, IP addresses and the endpoint's own: for example that
	// of a proxy before it. A request for another name is refused, which keeps
	// a web page from reaching the backend by rebinding its own name.
	AllowedHosts []string `mapstructure:"allowed_hosts"`

	// AllowUnauthenticated lets the backend listen without a key on an address
	// that other machines can reach. Everyone who reaches it can then read
	// every prompt and answer. Default false.
	AllowUnauthenticated bool `mapstructure:"allow_unauthenticated"`

	// Retention says what the database keeps.
	Retention RetentionConfig `mapstructure:"retention"`

	// Drift says how many sessions the pages compare. What is absent is as the
	// agentlens processor of this collector has it, else the processor's default.
	Drift drift.Rolling `mapstructure:"drift"`

	// Budgets are what agents may cost; the pages show how they stand. Absent:
	// those of the agentlens processor of this collector.
	Budgets []forecast.NamedBudget `mapstructure:"budgets"`

	// TraceURLTemplate leads from a session to its trace in a tracing backend:
	// {trace_id} and {session_id} are replaced, as in
	// http://localhost:16686/trace/{trace_id}. Empty, the default: no link.
	TraceURLTemplate string `mapstructure:"trace_url_template"`
}

// RetentionConfig says what the database keeps.
type RetentionConfig struct {
	// MaxAge is how long after its last event a session is kept. 0, the
	// default: for ever.
	MaxAge time.Duration `mapstructure:"max_age"`
	// MaxSizeMiB is how large the database may become; above it the oldest
	// sessions go. 0, the default: without limit.
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`
}

const (
	defaultEndpoint  = "localhost:3000"
	defaultDirectory = "./.agentlens"

	// maxSizeMiB is SQLite's own limit on a file, 256 TiB.
	maxSizeMiB = 256 << 20
)

var _ confmap.Validator = (*Config)(nil)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	return &Config{ServerConfig: server, Directory: defaultDirectory}
}

// Validate refuses a missing endpoint or directory, a host name with a port or
// a scheme, and an address that other machines can reach without a key.
func (c *Config) Validate() error {
	var errs []error
	if c.ServerConfig.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("`endpoint` is empty, want host:port, as localhost:3000"))
	} else if c.exposed() && c.APIKey == "" && !c.ServerConfig.Auth.HasValue() && !c.AllowUnauthenticated {
		errs = append(errs, fmt.Errorf("`endpoint` is %q, which other machines can reach, and there is no key: set `api_key`, or listen on localhost, or set `allow_unauthenticated: true` if everyone who reaches it may read every session",
			c.ServerConfig.NetAddr.Endpoint))
	}
	if c.Directory == "" {
		errs = append(errs, errors.New("`directory` is empty, want a folder for agentlens.db"))
	}
	for _, h := range c.AllowedHosts {
		if h == "" || strings.ContainsAny(h, ":/* ") {
			errs = append(errs, fmt.Errorf("`allowed_hosts` has %q, want a host name without scheme and port, as agentlens.example.com", h))
		}
	}
	return errors.Join(append(errs, c.validateLimits()...)...)
}

func (c *Config) validateLimits() (errs []error) {
	if c.Retention.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("`retention::max_age` is %s, want 0 or more", c.Retention.MaxAge))
	}
	if c.Retention.MaxSizeMiB < 0 || c.Retention.MaxSizeMiB > maxSizeMiB {
		errs = append(errs, fmt.Errorf("`retention::max_size_mib` is %d, want 0 to %d", c.Retention.MaxSizeMiB, int64(maxSizeMiB)))
	}
	sizes := drift.DefaultRolling() // in the place of what is absent
	sizes.BaselineSessions = cmp.Or(c.Drift.BaselineSessions, sizes.BaselineSessions)
	sizes.CurrentSessions = cmp.Or(c.Drift.CurrentSessions, sizes.CurrentSessions)
	errs = append(errs, underPath("drift", sizes.Check())...)
	errs = append(errs, underPath("budgets", forecast.ValidateBudgets(c.Budgets))...)
	text := strings.NewReplacer("{trace_id}", "0", "{session_id}", "0").Replace(c.TraceURLTemplate)
	if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("`trace_url_template` is %q, want a URL that begins with http:// or https://", c.TraceURLTemplate))
	}
	return errs
}

// underPath puts the path of a setting before the fields of an engine's errors.
func underPath(path string, err error) (errs []error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		var field *analysis.FieldError
		if errors.As(err, &field) {
			errs = append(errs, fmt.Errorf("`%s::%s` is %v, want %s", path, field.Field, field.Value, field.Want))
		}
	}
	return errs
}

// exposed reports whether other machines can reach the endpoint. A name other
// than localhost counts as one they can: what it resolves to may change.
func (c *Config) exposed() bool {
	if c.ServerConfig.NetAddr.Transport == confignet.TransportTypeUnix {
		return false
	}
	host := c.host()
	if strings.EqualFold(host, "localhost") {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.IsLoopback()
}

// host returns the endpoint's host, empty for all addresses.
func (c *Config) host() string {
	host, _, err := net.SplitHostPort(c.ServerConfig.NetAddr.Endpoint)
	if err != nil {
		return c.ServerConfig.NetAddr.Endpoint
	}
	return host
}

// hosts returns the names the backend answers for.
func (c *Config) hosts() []string {
	if h := c.host(); h != "" && c.ServerConfig.NetAddr.Transport != confignet.TransportTypeUnix {
		return append([]string{h}, c.AllowedHosts...)
	}
	return c.AllowedHosts
}
