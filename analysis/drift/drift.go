package drift

import (
	"fmt"
	"math"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Config sets what a comparison calls a change.
type Config struct {
	// MaxSessions bounds each window of a Detector. Default 500.
	MaxSessions int
	// Threshold is the plain |Cohen's d| from which a metric is in
	// Report.DriftingMetrics. It does not move the score. Default 0.5.
	Threshold float64
	// FalseAlarmRate is how often windows between which nothing changed may be
	// told apart, over all metrics together. Default 0.03.
	FalseAlarmRate float64
	// MinEffect is the smallest change worth reporting, in standard
	// deviations. Default 0.2, Cohen's small effect.
	MinEffect float64
	// MinChange is the smallest relative change worth reporting, of a metric
	// that is not a rate. Default 0.1.
	MinChange float64
	// MinRateChange is the smallest difference of rates worth reporting.
	// Default 0.01, one point of a percentage.
	MinRateChange float64
	// DetectableEffect is the change, in standard deviations, that windows
	// must be able to show with a probability of 80 % before the lack of
	// evidence is called stable. Default 1.2, from which a change of a single
	// metric is called degraded.
	DetectableEffect float64
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		MaxSessions:      DefaultMaxSessions,
		Threshold:        0.5,
		FalseAlarmRate:   0.03,
		MinEffect:        0.2,
		MinChange:        0.1,
		MinRateChange:    0.01,
		DetectableEffect: 1.2,
	}
}

// Validate returns a *analysis.FieldError for the first setting that cannot be.
func (c *Config) Validate() error {
	if c.MaxSessions < 1 || c.MaxSessions > 1_000_000 {
		return &analysis.FieldError{Field: "max_sessions", Value: c.MaxSessions, Want: "1 to 1000000"}
	}
	for _, f := range [...]struct {
		name string
		v    float64
	}{
		{"threshold", c.Threshold},
		{"min_effect", c.MinEffect},
		{"min_change", c.MinChange},
		{"min_rate_change", c.MinRateChange},
	} {
		if !(f.v >= 0) || math.IsInf(f.v, 0) {
			return &analysis.FieldError{Field: f.name, Value: f.v, Want: "a finite number, 0 or more"}
		}
	}
	if !(c.FalseAlarmRate > 0 && c.FalseAlarmRate < 1) {
		return &analysis.FieldError{Field: "false_alarm_rate", Value: c.FalseAlarmRate, Want: "a number above 0 and below 1"}
	}
	if !(c.DetectableEffect > 0) || math.IsInf(c.DetectableEffect, 0) {
		return &analysis.FieldError{Field: "detectable_effect", Value: c.DetectableEffect, Want: "a finite number above 0"}
	}
	return nil
}

// EmptyWindowError says which window, baseline or current, has no session.
type EmptyWindowError struct{ Window string }

func (e *EmptyWindowError) Error() string {
	return fmt.Sprintf("the %s window is empty: add at least one session to it", e.Window)
}

// Detector compares the sessions of two periods. It must not be used
// concurrently.
type Detector struct {
	cfg               Config
	baseline, current Window
}

// NewDetector returns a detector without sessions, or the *analysis.FieldError
// of cfg.Validate.
func NewDetector(cfg Config) (*Detector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("drift config: %w", err)
	}
	return &Detector{
		cfg:      cfg,
		baseline: Window{maxSessions: cfg.MaxSessions},
		current:  Window{maxSessions: cfg.MaxSessions},
	}, nil
}

// AddBaseline adds a session to the baseline window, as Window.Add does.
func (d *Detector) AddBaseline(s *analysis.Summary) error { return d.baseline.Add(s) }

// AddCurrent adds a session to the current window, as Window.Add does.
func (d *Detector) AddCurrent(s *analysis.Summary) error { return d.current.Add(s) }

// Detect compares the windows. It returns an *EmptyWindowError when one of
// them has no session. Sessions can be added afterwards.
func (d *Detector) Detect() (*Report, error) {
	return CompareWindows(&d.baseline, &d.current, d.cfg)
}

// Compare compares two lists of sessions, or of their summaries, of any length
// with the default configuration. Its errors are those of Window.Add and of
// Detect.
func Compare[S *analysis.Session | *analysis.Summary](baseline, current []S) (*Report, error) {
	base, err := windowOf(baseline)
	if err != nil {
		return nil, fmt.Errorf("baseline %w", err)
	}
	cur, err := windowOf(current)
	if err != nil {
		return nil, fmt.Errorf("current %w", err)
	}
	return CompareWindows(base, cur, DefaultConfig())
}

// CompareWindows compares two windows, which it leaves as they are. Its errors
// are those of cfg.Validate and of Detector.Detect.
func CompareWindows(baseline, current *Window, cfg Config) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("drift config: %w", err)
	}
	if baseline == nil || baseline.Len() == 0 {
		return nil, &EmptyWindowError{"baseline"}
	}
	if current == nil || current.Len() == 0 {
		return nil, &EmptyWindowError{"current"}
	}
	return compare(baseline.samples(), current.samples(), &cfg), nil
}

func windowOf[S *analysis.Session | *analysis.Summary](sessions []S) (*Window, error) {
	w, err := NewWindow(max(1, len(sessions)))
	if err != nil {
		return nil, err
	}
	for i, s := range sessions {
		var summary *analysis.Summary
		switch s := any(s).(type) {
		case *analysis.Summary:
			summary = s
		case *analysis.Session:
			if s != nil {
				summary = s.Summary()
			}
		}
		if err := w.Add(summary); err != nil {
			return nil, fmt.Errorf("session %d: %w", i, err)
		}
	}
	return w, nil
}
