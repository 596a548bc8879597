package agentlens

import (
	"log/slog"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// Defaults of the options.
const (
	DefaultAPIKey        = "default"
	DefaultEndpoint      = "http://localhost:4318"
	DefaultAgentName     = "default-agent"
	DefaultBatchSize     = 512
	DefaultFlushInterval = time.Second
	DefaultMaxRetries    = 3
	DefaultMaxQueueSize  = 65536
	DefaultMaxEvents     = 1000
)

// Option configures a Tracker. Init and NewTracker return a *FieldError that
// names the option when its value cannot be.
type Option interface{ apply(*config) error }

// WithAPIKey sets the key that goes with every export as the X-API-Key header.
// The default is DefaultAPIKey.
func WithAPIKey(key string) Option {
	return exportOption("WithAPIKey", func(c *config) error {
		if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
			// The value stays out of the message: it is a secret.
			return &FieldError{Field: "WithAPIKey", Value: "empty or not printable ASCII", Want: "a key"}
		}
		c.apiKey = key
		return nil
	})
}

// WithEndpoint sets the OTLP/HTTP endpoint to export to, such as
// "http://localhost:4318". "/v1/traces" is appended when the URL has no path.
// The default is what OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
// OTEL_EXPORTER_OTLP_ENDPOINT says, else DefaultEndpoint.
func WithEndpoint(baseURL string) Option {
	return exportOption("WithEndpoint", func(c *config) error {
		u, err := parseEndpoint("WithEndpoint", baseURL)
		if err != nil {
			return err
		}
		c.endpoint = withTracesPath(u)
		return nil
	})
}

// WithTracerProvider writes the spans to the caller's own provider. No exporter
// is set up, and Shutdown does not shut the provider down. Flush, EndSession
// and Shutdown call its ForceFlush if it has one, as that of the SDK does. How
// long a span takes to end is up to the provider's span processors.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return option(func(c *config) error {
		if provider == nil {
			return &FieldError{Field: "WithTracerProvider", Value: nil, Want: "a provider"}
		}
		c.provider = provider
		return nil
	})
}

// WithBatchSize sets how many spans go into one export at most. The default is
// DefaultBatchSize. An export of large events is split further.
func WithBatchSize(spans int) Option {
	return exportOption("WithBatchSize", func(c *config) error {
		if spans < 1 {
			return &FieldError{Field: "WithBatchSize", Value: spans, Want: "1 or more"}
		}
		c.batchSize = spans
		return nil
	})
}

// WithFlushInterval sets how long a span waits at most for its batch to fill.
// The default is DefaultFlushInterval.
func WithFlushInterval(interval time.Duration) Option {
	return exportOption("WithFlushInterval", func(c *config) error {
		if interval <= 0 {
			return &FieldError{Field: "WithFlushInterval", Value: interval, Want: "more than 0"}
		}
		c.flushInterval = interval
		return nil
	})
}

// WithMaxRetries sets how often a failed export is tried again, with
// exponential back-off: 0 means once only. Connection errors and the statuses
// 429, 502, 503 and 504 are tried again, after Retry-After where the answer
// has it. The default is DefaultMaxRetries.
func WithMaxRetries(retries int) Option {
	return exportOption("WithMaxRetries", func(c *config) error {
		if retries < 0 {
			return &FieldError{Field: "WithMaxRetries", Value: retries, Want: "0 or more"}
		}
		c.maxRetries = retries
		return nil
	})
}

// WithMaxQueueSize sets how many spans wait for export at most, those being
// exported included. Further ones are dropped, counted and told. The default is
// DefaultMaxQueueSize; an event is one to three spans of about 2 KB beside its
// data.
func WithMaxQueueSize(spans int) Option {
	return exportOption("WithMaxQueueSize", func(c *config) error {
		if spans < 1 || spans > math.MaxInt32 {
			return &FieldError{Field: "WithMaxQueueSize", Value: spans, Want: "1 to 2147483647"}
		}
		c.maxQueueSize = spans
		return nil
	})
}

// WithServiceName sets the service.name of the exported resource. The default
// is what OTEL_SERVICE_NAME says, else unknown_service.
func WithServiceName(name string) Option {
	return exportOption("WithServiceName", func(c *config) error {
		if name == "" {
			return &FieldError{Field: "WithServiceName", Value: `""`, Want: "a name"}
		}
		c.serviceName = name
		return nil
	})
}

// WithResource adds to the exported resource. Its attributes win over those of
// the environment.
func WithResource(r *resource.Resource) Option {
	return exportOption("WithResource", func(c *config) error {
		c.resource = r
		return nil
	})
}

// WithLogger sets where warnings go. The default is slog.Default().
func WithLogger(logger *slog.Logger) Option {
	return option(func(c *config) error {
		if logger == nil {
			return &FieldError{Field: "WithLogger", Value: nil, Want: "a logger"}
		}
		c.logger = logger
		return nil
	})
}

// WithoutSessionStart leaves out the span agentlens.session.start, which makes
// a session visible before its first event.
func WithoutSessionStart() Option {
	return option(func(c *config) error {
		c.sessionStart = false
		return nil
	})
}

// WithMaxEvents sets how many events of a session are kept in memory for
// Explain and Snapshot; older ones are let go. A session keeps 4 MiB of events
// at most. Summaries and what is exported are not affected. The default is
// DefaultMaxEvents.
func WithMaxEvents(events int) Option {
	return option(func(c *config) error {
		if events < 0 {
			return &FieldError{Field: "WithMaxEvents", Value: events, Want: "0 or more"}
		}
		c.maxEvents = events
		return nil
	})
}

type option func(*config) error

func (f option) apply(c *config) error { return f(c) }

type config struct {
	apiKey        string
	endpoint      string
	batchSize     int
	flushInterval time.Duration
	maxRetries    int
	retryInterval time.Duration
	maxQueueSize  int
	serviceName   string
	resource      *resource.Resource
	// exportOptions names the options given that concern an exporter.
	exportOptions []string

	provider     trace.TracerProvider
	logger       *slog.Logger
	sessionStart bool
	maxEvents    int

	capture    CaptureMode
	redactors  []Redactor
	maxContent int
	baggage    bool

	meterProvider metric.MeterProvider
	metricNames   []MetricNames
}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		apiKey:        DefaultAPIKey,
		batchSize:     DefaultBatchSize,
		flushInterval: DefaultFlushInterval,
		maxRetries:    DefaultMaxRetries,
		retryInterval: defaultRetryInterval,
		maxQueueSize:  DefaultMaxQueueSize,
		sessionStart:  true,
		maxEvents:     DefaultMaxEvents,
		maxContent:    DefaultMaxContentBytes,
		metricNames:   []MetricNames{MetricsV141},
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.apply(c); err != nil {
			return nil, err
		}
	}
	if c.provider != nil && len(c.exportOptions) > 0 {
		return nil, &FieldError{
			Field: c.exportOptions[0], Value: "given together with WithTracerProvider",
			Want: "one of the two: a provider has exporters of its own",
		}
	}
	if c.batchSize > c.maxQueueSize {
		return nil, &FieldError{Field: "WithBatchSize", Value: c.batchSize, Want: "no more than WithMaxQueueSize"}
	}
	if c.capture == captureUnset {
		var err error
		if c.capture, err = captureFromEnv(); err != nil {
			return nil, err
		}
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	return c, nil
}

// exportOption is an option that means nothing to a provider of the caller's.
func exportOption(name string, set func(*config) error) Option {
	return option(func(c *config) error {
		c.exportOptions = append(c.exportOptions, name)
		return set(c)
	})
}
