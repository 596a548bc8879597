package agentlensbackend

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
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
}

const (
	defaultEndpoint  = "localhost:3000"
	defaultDirectory = "./.agentlens"
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
	return errors.Join(errs...)
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
