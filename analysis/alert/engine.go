package alert

import (
	"sync"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Engine watches one stream of events with a set of rules. It is safe for
// concurrent use.
type Engine struct {
	rules *RuleSet

	mu    sync.Mutex
	state *State
}

// NewEngine compiles rules; its errors are those of NewRuleSet.
func NewEngine(rules []Rule) (*Engine, error) {
	rs, err := NewRuleSet(rules)
	if err != nil {
		return nil, err
	}
	return &Engine{rules: rs, state: rs.NewState()}, nil
}

// Evaluate judges a slice of events by itself: at most one alert a rule. What
// Observe has seen plays no part.
func (e *Engine) Evaluate(events []analysis.Event) []Alert { return e.rules.Evaluate(events) }

// Observe takes the next event of the stream, and returns an alert for each
// rule that fires at it and, with Resolved set, for each that fires no more;
// nil when there is nothing to say.
func (e *Engine) Observe(event *analysis.Event) []Alert {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rules.Observe(e.state, event, nil)
}

// Firing returns the names of the rules that have fired and are not resolved.
func (e *Engine) Firing() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rules.Firing(e.state)
}
