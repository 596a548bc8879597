package alert

import "github.com/agentlens/agentlens-otel/analysis/internal/strict"

// Severity says how urgent an alert is.
type Severity string

// The severities; a rule without one has SeverityWarning.
const (
	SeverityInfo     Severity = "info"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Rule names a condition that should be told.
type Rule struct {
	// Name is unique among the rules of a set.
	Name      string    `json:"name" yaml:"name" mapstructure:"name"`
	Severity  Severity  `json:"severity,omitempty" yaml:"severity,omitempty" mapstructure:"severity"`
	Condition Condition `json:"condition" yaml:"condition" mapstructure:"condition"`
	// CooldownSeconds is how long, in event time, the rule stays silent after
	// an alert.
	CooldownSeconds float64 `json:"cooldown_seconds,omitempty" yaml:"cooldown_seconds,omitempty" mapstructure:"cooldown_seconds"`
}

// ConditionType says which of Condition's parameters apply, and how.
type ConditionType string

// The condition types.
const (
	Threshold   ConditionType = "threshold"
	Rate        ConditionType = "rate"
	Consecutive ConditionType = "consecutive"
	Pattern     ConditionType = "pattern"
	Aggregate   ConditionType = "aggregate"
	Composite   ConditionType = "composite"
)

// Condition is what a rule waits for. It has the parameters of all types, so
// that it reads the same in Go, YAML, JSON and a collector's configuration; one
// that its type does not have is refused. The functions named after the
// original's classes build each type with what it needs.
type Condition struct {
	Type ConditionType `json:"type" yaml:"type" mapstructure:"type"`

	// Field is the event's field to look at, for threshold, rate, consecutive
	// and pattern; Fields lists them. A path such as output_data.result.score
	// or tool_input.items.0 reaches into an object.
	Field string `json:"field,omitempty" yaml:"field,omitempty" mapstructure:"field"`
	// Op compares the field (threshold, rate, consecutive) or the aggregate
	// with Value: >, >=, <, <=, ==, !=. Rate and consecutive have == unless
	// said.
	Op string `json:"op,omitempty" yaml:"op,omitempty" mapstructure:"op"`
	// Value is a number, a string or a bool. Only numbers are ordered.
	Value any `json:"value,omitempty" yaml:"value,omitempty" mapstructure:"value"`

	// WindowSeconds and Threshold: a rate holds when more than Threshold events
	// match within WindowSeconds.
	WindowSeconds float64  `json:"window_seconds,omitempty" yaml:"window_seconds,omitempty" mapstructure:"window_seconds"`
	Threshold     *float64 `json:"threshold,omitempty" yaml:"threshold,omitempty" mapstructure:"threshold"`

	// EventType is short for Field event_type and Value, in consecutive.
	EventType string `json:"event_type,omitempty" yaml:"event_type,omitempty" mapstructure:"event_type"`
	// Count is how many events in a row must match: a whole number from 1.
	Count float64 `json:"count,omitempty" yaml:"count,omitempty" mapstructure:"count"`

	// Pattern is a regular expression in RE2 syntax.
	Pattern string `json:"pattern,omitempty" yaml:"pattern,omitempty" mapstructure:"pattern"`

	// Metric is the number to aggregate, by AggFunc: sum, avg, min, max, or
	// count, the number of events that have it.
	Metric  string `json:"metric,omitempty" yaml:"metric,omitempty" mapstructure:"metric"`
	AggFunc string `json:"agg_func,omitempty" yaml:"agg_func,omitempty" mapstructure:"agg_func"`
	// Window is how many events back an aggregate or a composite looks: a
	// whole number from 1, DefaultWindow when 0.
	Window float64 `json:"window,omitempty" yaml:"window,omitempty" mapstructure:"window"`

	// Mode of a composite is all (or and), or any (or or).
	Mode       string      `json:"mode,omitempty" yaml:"mode,omitempty" mapstructure:"mode"`
	Conditions []Condition `json:"conditions,omitzero" yaml:"conditions,omitempty" mapstructure:"conditions"`
}

// DefaultWindow is how many events an aggregate or composite looks back.
const DefaultWindow = 50

// ThresholdCondition holds at each event whose field compares with value.
func ThresholdCondition(field, op string, value any) Condition {
	return Condition{Type: Threshold, Field: field, Op: op, Value: value}
}

// RateCondition holds while more than threshold events whose field equals value
// lie within windowSeconds.
func RateCondition(field string, value any, windowSeconds float64, threshold int) Condition {
	return Condition{Type: Rate, Field: field, Value: value, WindowSeconds: windowSeconds, Threshold: new(float64(threshold))}
}

// ConsecutiveCondition holds while the last count events are of a type.
func ConsecutiveCondition(eventType string, count int) Condition {
	return Condition{Type: Consecutive, EventType: eventType, Count: float64(count)}
}

// PatternCondition holds at each event whose field matches a regular
// expression.
func PatternCondition(field, pattern string) Condition {
	return Condition{Type: Pattern, Field: field, Pattern: pattern}
}

// AggregateCondition holds while aggFunc of the metric over the last
// DefaultWindow events compares with value.
func AggregateCondition(metric, aggFunc, op string, value float64) Condition {
	return Condition{Type: Aggregate, Metric: metric, AggFunc: aggFunc, Op: op, Value: value}
}

// CompositeCondition holds while all or any, by mode, of the conditions do.
func CompositeCondition(mode string, conditions ...Condition) Condition {
	if conditions == nil {
		conditions = []Condition{}
	}
	return Condition{Type: Composite, Mode: mode, Conditions: conditions}
}

// ParseYAML reads rules from a YAML mapping with the key rules. It refuses what
// cannot be read; whether the rules make sense is for NewRuleSet to say.
func ParseYAML(data []byte) ([]Rule, error) { return parse(data, strict.YAML) }

// ParseJSON reads rules from a JSON object, as ParseYAML does.
func ParseJSON(data []byte) ([]Rule, error) { return parse(data, strict.JSON) }

func parse(data []byte, decode func([]byte, any) error) ([]Rule, error) {
	var file struct {
		Rules []Rule `mapstructure:"rules"`
	}
	if err := decode(data, &file); err != nil {
		return nil, wrap(err)
	}
	if file.Rules == nil {
		return nil, wrap(refusal("rules", "missing", "a list of rules"))
	}
	return file.Rules, nil
}
