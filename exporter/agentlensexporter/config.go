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
	// QueueConfig is the sending queue, of 100,000 spans by default. It sends a
	// request when 400 spans are there or a second has passed, from one
	// consumer, so that events arrive in order. With storage it survives a
	// restart, and so do findings that wait to be posted.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig is how failed requests are tried again. By default they are
	// until they succeed (max_elapsed_time 0): when the queue is full meanwhile,
	// new spans are refused, which their sender can see, and none is lost.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// APIKey is sent as the X-API-Key header. Default none.
	APIKey configopaque.String `mapstructure:"api_key"`
	// RateLimit keeps the exporter below the limits of the original backend,
	// which by default are 60 requests with events and 120 others a minute.
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`
}

// RateLimitConfig is how many requests a minute are sent at most, in any
// minute. 0 is no limit, as the embedded backend has none.
type RateLimitConfig struct {
	// EventsPerMinute is for POST /events. Default 60.
	EventsPerMinute int `mapstructure:"events_per_minute"`
	// FindingsPerMinute is for tags and annotations. Default 120.
	FindingsPerMinute int `mapstructure:"findings_per_minute"`
}

var _ component.Config = (*Config)(nil)

const (
	// batchSpans leaves room in a request of 500 for the session_start that
	// goes before the events of each session.
	batchSpans = wire.MaxBatchEvents * 4 / 5
	// queueSpans bounds the memory, or disk, that an outage takes.
	queueSpans = 100_000
)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://localhost:3000"
	client.Timeout = 30 * time.Second

	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1
	queue.Sizer, queue.QueueSize = exporterhelper.RequestSizerTypeItems, queueSpans
	batch := queue.Batch.GetOrInsertDefault()
	batch.FlushTimeout, batch.MinSize, batch.MaxSize = time.Second, batchSpans, batchSpans

	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0
	return &Config{
		ClientConfig: client,
		QueueConfig:  configoptional.Some(queue),
		RetryConfig:  retry,
		RateLimit:    RateLimitConfig{EventsPerMinute: 60, FindingsPerMinute: 120},
	}
}

// Validate returns an error for each setting that cannot be.
func (c *Config) Validate() error {
	return errors.Join(c.validateEndpoint(),
		notNegative("rate_limit::events_per_minute", c.RateLimit.EventsPerMinute),
		notNegative("rate_limit::findings_per_minute", c.RateLimit.FindingsPerMinute))
}

func (c *Config) validateEndpoint() error {
	u, err := url.Parse(c.ClientConfig.Endpoint)
	switch {
	case c.ClientConfig.Endpoint == "":
		return errors.New("`endpoint` is empty, want the base URL of an AgentLens backend, such as http://localhost:3000")
	case err != nil:
		return fmt.Errorf("`endpoint` is not a URL: %w", withoutURL(err))
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("`endpoint` is %q, want a URL with http or https and a host", u.Redacted())
	}
	return nil
}

// storage returns the storage extension of the queue; nil when it is in memory.
func (c *Config) storage() *component.ID {
	if queue := c.QueueConfig.Get(); queue != nil {
		return queue.StorageID
	}
	return nil
}

func notNegative(name string, value int) error {
	if value < 0 {
		return fmt.Errorf("`%s` is %d, want 0 (no limit) or more", name, value)
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
