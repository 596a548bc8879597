package agentlensexporter

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// Config is the configuration of the exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint (the backend's base URL,
	// default http://localhost:3000), timeout, tls, headers, auth, proxy_url,
	// compression. Requests beyond loopback are compressed with gzip unless
	// compression says otherwise.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// QueueConfig is the sending queue. By default it sends a request when 400
	// spans are there or a second has passed, from one consumer, so that events
	// arrive in order.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
	// APIKey is sent as the X-API-Key header. Default none.
	APIKey configopaque.String `mapstructure:"api_key"`
}

var _ component.Config = (*Config)(nil)

// batchSpans leaves room in a request of 500 for the session_start that goes
// before the events of each session.
const batchSpans = wire.MaxBatchEvents * 4 / 5

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://localhost:3000"
	client.Timeout = 30 * time.Second

	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1
	batch := queue.Batch.GetOrInsertDefault()
	batch.FlushTimeout, batch.MinSize, batch.MaxSize = time.Second, batchSpans, batchSpans
	return &Config{
		ClientConfig: client,
		QueueConfig:  configoptional.Some(queue),
		RetryConfig:  configretry.NewDefaultBackOffConfig(),
	}
}

// Validate returns an error for each setting that cannot be.
func (c *Config) Validate() error {
	u, err := url.Parse(c.ClientConfig.Endpoint)
	switch {
	case c.ClientConfig.Endpoint == "":
		return errors.New("`endpoint` is empty, want the base URL of an AgentLens backend, such as http://localhost:3000")
	case err != nil:
		return fmt.Errorf("`endpoint` is not a URL: %w", err)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("`endpoint` is %q, want a URL with http or https and a host", c.ClientConfig.Endpoint)
	}
	return nil
}

// isLoopback reports whether a URL's host is this machine.
func isLoopback(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}
