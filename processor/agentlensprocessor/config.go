package agentlensprocessor

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// Config is the configuration of the processor.
type Config struct {
	// IdleTimeout is how long after its last span a session is completed when
	// no root span completes it. Default 5m.
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
	// Retention is how long after its last span a completed session is held,
	// so that late and duplicated spans are seen for what they are. Default 1h.
	Retention time.Duration `mapstructure:"retention"`
	// MaxSessions is how many sessions are held at once, completed ones
	// included. Beyond it the longest idle goes first. Default 100000.
	MaxSessions int `mapstructure:"max_sessions"`
	// MaxSpanIDs is how many span ids are remembered to find duplicates.
	// Default 1000000, about 50 bytes each.
	MaxSpanIDs int `mapstructure:"max_span_ids"`

	// Normalize writes the current gen_ai keys onto spans of other conventions,
	// where they are absent. Default false.
	Normalize bool `mapstructure:"normalize"`
	// Content says what leaves of prompts, messages and tool data: keep (the
	// default), truncate(n), hash or drop, and what is redacted before. The
	// engines see the content as it came.
	Content spanevent.ContentConfig `mapstructure:"content"`

	Cost       CostConfig       `mapstructure:"cost"`
	Compliance ComplianceConfig `mapstructure:"compliance"`
}

// CostConfig configures the pricing of inference spans.
type CostConfig struct {
	// Enabled switches pricing. Default true.
	Enabled bool `mapstructure:"enabled"`
	// Prices adds models to the price table or replaces prices in it.
	Prices []pricing.Override `mapstructure:"prices"`
}

// ComplianceConfig configures the policies.
type ComplianceConfig struct {
	// Policies are evaluated on every session when it completes. Default none.
	Policies []compliance.Policy `mapstructure:"policies"`
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{
		IdleTimeout: 5 * time.Minute,
		Retention:   time.Hour,
		MaxSessions: 100_000,
		MaxSpanIDs:  1_000_000,
		Cost:        CostConfig{Enabled: true},
	}
}

// Validate returns an error for each setting that cannot be, with its path.
func (c *Config) Validate() error {
	var errs []error
	positive := func(name string, ok bool, value any) {
		if !ok {
			errs = append(errs, fmt.Errorf("`%s` is %v, want more than 0", name, value))
		}
	}
	positive("idle_timeout", c.IdleTimeout > 0, c.IdleTimeout)
	positive("retention", c.Retention > 0, c.Retention)
	positive("max_sessions", c.MaxSessions > 0, c.MaxSessions)
	positive("max_span_ids", c.MaxSpanIDs > 0, c.MaxSpanIDs)
	if _, err := pricing.Default().With(c.Cost.Prices...); err != nil {
		errs = append(errs, fmt.Errorf("`cost::prices`: %w", err))
	}
	names := map[string]int{}
	for i := range c.Compliance.Policies {
		p := &c.Compliance.Policies[i]
		if _, err := compliance.NewChecker(p); err != nil {
			errs = append(errs, fmt.Errorf("`compliance::policies::%d`: %w", i, err))
		}
		if first, ok := names[p.Name]; ok {
			errs = append(errs, fmt.Errorf("`compliance::policies::%d::name` is %q, which policy %d has already", i, p.Name, first))
		}
		names[p.Name] = i
	}
	return errors.Join(errs...)
}
