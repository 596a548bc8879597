package compliance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/internal/strict"
)

// Kind says what a rule checks.
type Kind string

// The rule kinds. Bounds are inclusive; tokens are input and output together;
// names of models and tools compare in lower case.
const (
	MaxTokens Kind = "max_tokens"
	MinTokens Kind = "min_tokens"
	// AllowedModels is skipped when the session used no model.
	AllowedModels   Kind = "allowed_models"
	ForbiddenModels Kind = "forbidden_models"
	RequiredTools   Kind = "required_tools"
	ForbiddenTools  Kind = "forbidden_tools"
	MaxEvents       Kind = "max_events"
	MinEvents       Kind = "min_events"
	// MaxDurationMS bounds end minus start of the session; it is skipped
	// while the session is active.
	MaxDurationMS Kind = "max_duration_ms"
	// MaxToolCalls bounds the events with a tool call, whatever their type.
	MaxToolCalls Kind = "max_tool_calls"
	// RequireReasoning wants at least the share Threshold (default 1) of
	// llm_call and decision events to have a reasoning that is not blank; it is
	// skipped when there are none.
	RequireReasoning Kind = "require_reasoning"
	// MaxErrorRate bounds the events that failed over all events; it is
	// skipped when there are none.
	MaxErrorRate Kind = "max_error_rate"
	// Custom asks the Go function registered under the rule's name.
	Custom Kind = "custom"
)

// Severity says how bad it is to break a rule. Only a broken rule of severity
// error makes a session non-compliant.
type Severity string

// The severities; a rule without one has SeverityError.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Policy is a named list of rules. A policy without rules is met by every
// session.
type Policy struct {
	Name  string `json:"name" yaml:"name" mapstructure:"name"`
	Rules []Rule `json:"rules" yaml:"rules" mapstructure:"rules"`
}

// Rule is one requirement. Which parameters it needs depends on its kind; one
// that its kind does not have is refused.
type Rule struct {
	Kind Kind `json:"kind" yaml:"kind" mapstructure:"kind"`
	// Name is the registered function of a custom rule, and a label of the
	// user's choice on any other.
	Name     string   `json:"name,omitempty" yaml:"name,omitempty" mapstructure:"name"`
	Severity Severity `json:"severity,omitempty" yaml:"severity,omitempty" mapstructure:"severity"`
	// Limit is the bound: a whole number of tokens, events or calls,
	// milliseconds, or for max_error_rate a share from 0 to 1.
	Limit *float64 `json:"limit,omitempty" yaml:"limit,omitempty" mapstructure:"limit"`
	// Threshold is the share, 0 to 1, that require_reasoning wants, and
	// another name for the Limit of max_error_rate.
	Threshold *float64 `json:"threshold,omitempty" yaml:"threshold,omitempty" mapstructure:"threshold"`
	// Models and Tools are the lists of the model and tool rules: nil is
	// missing, empty is a list of none.
	Models []string `json:"models,omitzero" yaml:"models,omitempty" mapstructure:"models"`
	Tools  []string `json:"tools,omitzero" yaml:"tools,omitempty" mapstructure:"tools"`
}

// ParseYAML reads and validates a policy. Everything wrong with it is told at
// once, as *analysis.FieldErrors with paths such as rules[2].limit.
func ParseYAML(data []byte) (*Policy, error) { return parse(data, strict.YAML) }

// ParseJSON reads and validates a policy, as ParseYAML does.
func ParseJSON(data []byte) (*Policy, error) { return parse(data, strict.JSON) }

func parse(data []byte, decode func([]byte, any) error) (*Policy, error) {
	var p Policy
	if err := decode(data, &p); err != nil {
		return nil, fmt.Errorf("compliance policy: %w", err)
	}
	if p.Rules == nil {
		return nil, fmt.Errorf("compliance policy: %w", &analysis.FieldError{Field: "rules", Value: "missing", Want: "a list of rules"})
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("compliance policy: %w", err)
	}
	return &p, nil
}

// Validate returns a *analysis.FieldError for each thing that is wrong, joined,
// or nil. Whether the functions of custom rules are there is for NewChecker to
// say.
func (p *Policy) Validate() error {
	var wrong []error
	if strings.TrimSpace(p.Name) == "" {
		wrong = append(wrong, &analysis.FieldError{Field: "name", Value: fmt.Sprintf("%q", p.Name), Want: "a name for the policy"})
	}
	for i := range p.Rules {
		for _, e := range p.Rules[i].check() {
			e.Field = fmt.Sprintf("rules[%d].%s", i, e.Field)
			wrong = append(wrong, e)
		}
	}
	return errors.Join(wrong...)
}

// parameters says what the rules of a kind take besides severity and name.
type parameters struct {
	limit     string // what a limit must be; "" = takes none
	threshold bool
	models    bool
	tools     bool
}

const (
	wholeNumber  = "a whole number, 0 or more"
	milliseconds = "a number of milliseconds, 0 or more"
	share        = "a number from 0 to 1"
)

// parametersOf returns what a kind takes, and whether there is such a kind.
func parametersOf(k Kind) (parameters, bool) {
	switch k {
	case MaxTokens, MinTokens, MaxEvents, MinEvents, MaxToolCalls:
		return parameters{limit: wholeNumber}, true
	case MaxDurationMS:
		return parameters{limit: milliseconds}, true
	case AllowedModels, ForbiddenModels:
		return parameters{models: true}, true
	case RequiredTools, ForbiddenTools:
		return parameters{tools: true}, true
	case RequireReasoning:
		return parameters{threshold: true}, true
	case MaxErrorRate:
		return parameters{limit: share, threshold: true}, true
	case Custom:
		return parameters{}, true
	}
	return parameters{}, false
}

// Kinds returns every rule kind, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{
		MaxTokens, MinTokens, AllowedModels, ForbiddenModels, RequiredTools, ForbiddenTools, MaxEvents, MinEvents,
		MaxDurationMS, MaxToolCalls, RequireReasoning, MaxErrorRate, Custom,
	}
}

// check returns what is wrong with the rule, with field names relative to it.
func (r *Rule) check() (wrong []*analysis.FieldError) {
	refuse := func(field string, value any, want string) {
		wrong = append(wrong, &analysis.FieldError{Field: field, Value: value, Want: want})
	}
	takes, known := parametersOf(r.Kind)
	if !known {
		refuse("kind", fmt.Sprintf("%q", string(r.Kind)), fmt.Sprintf("one of %v", Kinds()))
		return wrong
	}
	switch r.Severity {
	case "", SeverityError, SeverityWarning:
	default:
		refuse("severity", fmt.Sprintf("%q", string(r.Severity)), "error or warning")
	}
	if r.Kind == Custom && r.Name == "" {
		refuse("name", "missing", "the name of a registered function")
	}

	none := fmt.Sprintf("nothing: %s does not take it", r.Kind)
	switch {
	case r.Limit == nil:
		if takes.limit != "" && (!takes.threshold || r.Threshold == nil) {
			refuse("limit", "missing", takes.limit)
		}
	case takes.limit == "":
		refuse("limit", *r.Limit, none)
	case !validLimit(*r.Limit, takes.limit):
		refuse("limit", *r.Limit, takes.limit)
	}
	switch {
	case r.Threshold == nil:
	case !takes.threshold:
		refuse("threshold", *r.Threshold, none)
	case !validLimit(*r.Threshold, share):
		refuse("threshold", *r.Threshold, share)
	case r.Limit != nil && *r.Limit != *r.Threshold:
		refuse("threshold", *r.Threshold, fmt.Sprintf("the same as limit (%v), or only one of the two", *r.Limit))
	}
	checkNames := func(field string, names []string, taken bool) {
		if !taken {
			if names != nil {
				refuse(field, names, none)
			}
			return
		}
		if names == nil {
			refuse(field, "missing", "a list of names")
		}
		if i := slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(n) == "" }); i >= 0 {
			refuse(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q", names[i]), "a name")
		}
	}
	checkNames("models", r.Models, takes.models)
	checkNames("tools", r.Tools, takes.tools)
	return wrong
}

// validLimit reports whether x is what want, one of the constants, asks for. A
// whole number stays below 2^53, where float64 still tells neighbours apart.
func validLimit(x float64, want string) bool {
	switch want {
	case wholeNumber:
		return x >= 0 && x <= 1<<53 && x == math.Trunc(x)
	case share:
		return x >= 0 && x <= 1
	default:
		return x >= 0 && !math.IsInf(x, 1)
	}
}

// bound returns the rule's number under either of its names.
func (r *Rule) bound() float64 {
	if r.Limit != nil {
		return *r.Limit
	}
	if r.Threshold != nil {
		return *r.Threshold
	}
	return 1 // only require_reasoning may have neither
}
