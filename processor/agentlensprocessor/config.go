package agentlensprocessor

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
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
	// Default 1000000, of 20 to 50 bytes each.
	MaxSpanIDs int `mapstructure:"max_span_ids"`

	// Normalize writes the current gen_ai keys onto spans of other conventions,
	// where they are absent. Default false.
	Normalize bool `mapstructure:"normalize"`
	// Content says what leaves of prompts, messages and tool data: keep (the
	// default), truncate(n), hash or drop, and what is redacted before. The
	// engines see the content as it came.
	Content spanevent.ContentConfig `mapstructure:"content"`
	// Storage names a storage extension in which the processor keeps its state
	// over restarts. Default none: the state is in memory only.
	Storage *component.ID `mapstructure:"storage"`
	// SnapshotInterval is how often the state is stored, beside at shutdown.
	// Default 30s.
	SnapshotInterval time.Duration `mapstructure:"snapshot_interval"`

	Cost       CostConfig       `mapstructure:"cost"`
	Compliance ComplianceConfig `mapstructure:"compliance"`
	Drift      DriftConfig      `mapstructure:"drift"`
	Forecast   ForecastConfig   `mapstructure:"forecast"`
	Alerts     AlertsConfig     `mapstructure:"alerts"`
}

// CostConfig configures the pricing of inference spans.
type CostConfig struct {
	// Enabled switches pricing. Default true.
	Enabled bool `mapstructure:"enabled"`
	// Table is a file with another price table than the one built in: JSON as
	// genai-prices publishes it. It is read when the processor starts.
	Table string `mapstructure:"table"`
	// Prices adds models to the price table or replaces prices in it.
	Prices []pricing.Override `mapstructure:"prices"`
}

// prices returns the table that calls are priced by.
func (c *CostConfig) prices() (*pricing.Table, error) {
	table := pricing.Default()
	if c.Table != "" {
		f, err := os.Open(c.Table)
		if err != nil {
			return nil, fmt.Errorf("`cost::table`: %w", err)
		}
		defer f.Close()
		if table, err = pricing.Load(f); err != nil {
			return nil, fmt.Errorf("`cost::table` %q: %w", c.Table, err)
		}
	}
	table, err := table.With(c.Prices...)
	if err != nil {
		for _, e := range fieldErrors(err) {
			e.Field = strings.Replace(e.Field, "overrides", "prices", 1)
		}
		return nil, errors.Join(located("cost", err)...)
	}
	return table, nil
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{
		IdleTimeout:      5 * time.Minute,
		Retention:        time.Hour,
		MaxSessions:      100_000,
		MaxSpanIDs:       1_000_000,
		SnapshotInterval: 30 * time.Second,

		Cost:       CostConfig{Enabled: true},
		Compliance: ComplianceConfig{Enabled: true},
		Drift: DriftConfig{
			Enabled: true, Mode: DriftRolling, BaselineSessions: drift.DefaultRolling().BaselineSessions,
			CurrentSessions: drift.DefaultRolling().CurrentSessions, AllowedLateness: time.Minute,
		},
		Forecast: ForecastConfig{
			Enabled: true, Method: forecast.MethodBest, HorizonDays: 7, HistoryDays: forecast.DefaultHistory, Interval: time.Minute,
		},
		Alerts: AlertsConfig{Enabled: true, AllowedLateness: time.Minute},
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
	positive("snapshot_interval", c.SnapshotInterval > 0, c.SnapshotInterval)
	if _, err := c.Cost.prices(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.Compliance.validate(), c.Drift.validate(), c.Forecast.validate(), c.Alerts.validate())
	return errors.Join(errs...)
}
