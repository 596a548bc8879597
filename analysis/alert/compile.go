package alert

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
)

// RuleSet is a compiled list of rules. It is immutable: any number of States
// and goroutines may share it.
type RuleSet struct {
	rules []compiled
	// nodes, rates and aggregates count those of all rules.
	nodes, rates, aggregates int
	// judged are the conditions that look at an event by itself, those that look
	// at one field side by side; more says that these are not all. bits are theirs.
	judged []*node
	bits   uint64
	more   bool
}

// compiled is a rule with its condition as a flat tree: nodes[0] is the root.
type compiled struct {
	name     string
	severity Severity
	cooldown int64 // microseconds of event time
	nodes    []node
	first    int    // of its nodes in State.nodes
	hash     string // of the condition, by which a snapshot knows its own
}

// node is a compiled condition.
type node struct {
	kind     ConditionType
	match    matcher // threshold, rate, consecutive, pattern
	bit      uint64  // in Judged, for these; 0 = it has no room there
	op       operator
	limit    float64 // what Alert.Threshold says
	keep     int     // rate: how many times are enough to know
	micros   int64   // rate: the window
	events   int64   // aggregate, composite: the window
	metric   field
	fn       aggFunc
	all      bool
	children []int
	// hold is for how many events a member of a composite holds after it
	// occurred; 0 outside of composites.
	hold int64
	// store is the place of a rate in State.times, of an aggregate in
	// State.windows.
	store int
	text  string // the condition in words
}

// Limits of what a rule may ask to remember.
const (
	maxCount   = 100_000
	maxSeconds = 1e9
)

// NewRuleSet compiles rules. It returns a *analysis.FieldError for each thing
// that is wrong, joined, with paths such as rules[1].condition.pattern.
func NewRuleSet(rules []Rule) (*RuleSet, error) {
	c := compiler{}
	rs := &RuleSet{rules: make([]compiled, len(rules))}
	names := map[string]int{}
	for i := range rules {
		r := &rules[i]
		path := fmt.Sprintf("rules[%d]", i)
		if strings.TrimSpace(r.Name) == "" {
			c.refuse(path+".name", quote(r.Name), "a name for the rule")
		} else if first, twice := names[r.Name]; twice {
			c.refuse(path+".name", quote(r.Name), fmt.Sprintf("a name of its own: rules[%d] has this one", first))
		}
		names[r.Name] = i
		out := compiled{name: r.Name, severity: r.Severity, cooldown: micros(r.CooldownSeconds), hash: conditionHash(&r.Condition)}
		switch r.Severity {
		case "":
			out.severity = SeverityWarning
		case SeverityInfo, SeverityWarning, SeverityCritical:
		default:
			c.refuse(path+".severity", quote(string(r.Severity)), "info, warning or critical")
		}
		if !(r.CooldownSeconds >= 0 && r.CooldownSeconds <= maxSeconds) {
			c.refuse(path+".cooldown_seconds", r.CooldownSeconds, fmt.Sprintf("a number of seconds from 0 to %g", maxSeconds))
		}
		c.nodes = nil
		c.condition(path+".condition", &r.Condition, 0)
		out.nodes = c.nodes
		rs.place(&out)
		rs.rules[i] = out
	}
	if len(c.wrong) > 0 {
		return nil, wrap(errors.Join(c.wrong...))
	}
	rs.arrange()
	return rs, nil
}

// arrange gives the conditions their bits in Judged.
func (rs *RuleSet) arrange() {
	var all []*node
	for i := range rs.rules {
		for j := range rs.rules[i].nodes {
			if n := &rs.rules[i].nodes[j]; n.isJudged() {
				all = append(all, n)
			}
		}
	}
	sortByField(all)
	for i, n := range all[:min(len(all), maxJudged)] {
		n.bit = 1 << i
	}
	rs.collect()
}

// collect lists the conditions that have a bit.
func (rs *RuleSet) collect() {
	rs.more = rs.aggregates > 0
	for i := range rs.rules {
		for j := range rs.rules[i].nodes {
			switch n := &rs.rules[i].nodes[j]; {
			case n.bit != 0:
				rs.judged, rs.bits = append(rs.judged, n), rs.bits|n.bit
			case n.isJudged():
				rs.more = true
			}
		}
	}
	sortByField(rs.judged)
}

// isJudged reports whether a condition looks at an event by itself.
func (n *node) isJudged() bool {
	switch n.kind {
	case Threshold, Pattern, Consecutive, Rate:
		return true
	}
	return false
}

func sortByField(nodes []*node) {
	slices.SortStableFunc(nodes, func(a, b *node) int { return strings.Compare(a.match.field.name, b.match.field.name) })
}

// place gives a rule its places in a State.
func (rs *RuleSet) place(r *compiled) {
	r.first = rs.nodes
	rs.nodes += len(r.nodes)
	for i := range r.nodes {
		switch n := &r.nodes[i]; n.kind {
		case Rate:
			n.store = rs.rates
			rs.rates++
		case Aggregate:
			n.store = rs.aggregates
			rs.aggregates++
		}
	}
}

type compiler struct {
	nodes []node
	wrong []error
}

func (c *compiler) refuse(field string, value any, want string) {
	c.wrong = append(c.wrong, refusal(field, value, want))
}

func refusal(field string, value any, want string) error {
	return &analysis.FieldError{Field: field, Value: value, Want: want}
}

func wrap(err error) error { return fmt.Errorf("alert rules: %w", err) }

func quote(s string) string { return fmt.Sprintf("%q", s) }

// condition appends the nodes of a condition and returns its index.
func (c *compiler) condition(path string, cond *Condition, hold int64) int {
	at := len(c.nodes)
	c.nodes = append(c.nodes, node{kind: cond.Type})
	n := node{kind: cond.Type, hold: hold}
	takes := []string{"type"}
	switch cond.Type {
	case Threshold:
		takes = append(takes, "field", "op", "value")
		n.match = c.matcher(path, cond, "")
		n.limit, _ = toNumber(cond.Value)
		n.text = n.match.text()
	case Pattern:
		takes = append(takes, "field", "pattern")
		n.match = c.pattern(path, cond)
		n.text = n.match.text()
	case Rate:
		takes = append(takes, "field", "op", "value", "window_seconds", "threshold")
		c.rate(path, cond, &n)
	case Consecutive:
		takes = append(takes, "field", "op", "value", "event_type", "count")
		c.consecutive(path, cond, &n)
	case Aggregate:
		takes = append(takes, "metric", "agg_func", "op", "value", "window")
		c.aggregate(path, cond, &n)
	case Composite:
		takes = append(takes, "mode", "conditions", "window")
		c.composite(path, cond, &n)
	default:
		c.refuse(path+".type", quote(string(cond.Type)),
			fmt.Sprintf("one of %v", []ConditionType{Threshold, Rate, Consecutive, Pattern, Aggregate, Composite}))
		return at
	}
	for _, given := range cond.given() {
		if !slices.Contains(takes, given) {
			c.refuse(path+"."+given, "given", fmt.Sprintf("only %s for a %s condition", strings.Join(takes[1:], ", "), cond.Type))
		}
	}
	c.nodes[at] = n
	return at
}

func (c *compiler) rate(path string, cond *Condition, n *node) {
	n.match = c.matcher(path, cond, "==")
	if !(cond.WindowSeconds > 0 && cond.WindowSeconds <= maxSeconds) {
		c.refuse(path+".window_seconds", cond.WindowSeconds, fmt.Sprintf("a number of seconds above 0, at most %g", maxSeconds))
	}
	if cond.Threshold == nil {
		c.refuse(path+".threshold", "missing", "the number of events that is still fine")
		return
	}
	if n.limit = *cond.Threshold; !whole(n.limit, 0, maxCount) {
		c.refuse(path+".threshold", n.limit, fmt.Sprintf("a whole number from 0 to %d", maxCount))
		return
	}
	n.keep, n.micros = int(n.limit)+1, micros(cond.WindowSeconds)
	n.text = fmt.Sprintf("more than %d events with %s within %s s", int(n.limit), n.match.text(), formatNumber(cond.WindowSeconds))
}

func (c *compiler) consecutive(path string, cond *Condition, n *node) {
	same := *cond
	if cond.EventType != "" {
		if cond.Field != "" || cond.Value != nil || cond.Op != "" {
			c.refuse(path+".event_type", quote(cond.EventType), "either event_type, or field and value")
		}
		same.Field, same.Op, same.Value = "event_type", "==", cond.EventType
	} else if cond.Field == "" {
		c.refuse(path+".event_type", "missing", "an event type, or field and value")
		return
	}
	n.match = c.matcher(path, &same, "==")
	if n.limit = cond.Count; !whole(n.limit, 1, maxCount) {
		c.refuse(path+".count", n.limit, fmt.Sprintf("a whole number from 1 to %d", maxCount))
		return
	}
	n.text = fmt.Sprintf("%d events in a row with %s", int(n.limit), n.match.text())
}

func (c *compiler) aggregate(path string, cond *Condition, n *node) {
	n.metric = c.field(path+".metric", cond.Metric)
	if n.metric.kind == text || n.metric.kind == boolean || (n.metric.kind == object && n.metric.path == nil) {
		c.refuse(path+".metric", quote(cond.Metric), "a field that is a number, or a path such as output_data.score")
	}
	n.fn = aggFunc(cond.AggFunc)
	if !slices.Contains(aggFuncs, n.fn) {
		c.refuse(path+".agg_func", quote(cond.AggFunc), fmt.Sprintf("one of %v", aggFuncs))
	}
	n.op = c.operator(path, cond.Op)
	limit, ok := toNumber(cond.Value)
	if n.limit = limit; !ok || math.IsNaN(limit) || math.IsInf(limit, 0) {
		c.refuse(path+".value", shown(cond.Value), "a finite number")
	}
	n.events = c.window(path, cond)
	n.text = fmt.Sprintf("%s of %s over the last %d events %s %s", cond.AggFunc, cond.Metric, n.events, cond.Op, formatNumber(n.limit))
}

func (c *compiler) composite(path string, cond *Condition, n *node) {
	switch cond.Mode {
	case "all", "and":
		n.all = true
	case "any", "or":
	default:
		c.refuse(path+".mode", quote(cond.Mode), "all (or and), or any (or or)")
	}
	if cond.Conditions == nil {
		c.refuse(path+".conditions", "missing", "a list of conditions")
	}
	n.events = c.window(path, cond)
	var texts []string
	for i := range cond.Conditions {
		child := c.condition(fmt.Sprintf("%s.conditions[%d]", path, i), &cond.Conditions[i], n.events)
		n.children = append(n.children, child)
		texts = append(texts, c.nodes[child].text)
	}
	separator := " or "
	if n.all {
		separator = " and "
	}
	n.text = "(" + strings.Join(texts, separator) + ")"
}

func (c *compiler) window(path string, cond *Condition) int64 {
	if cond.Window == 0 {
		return DefaultWindow
	}
	if !whole(cond.Window, 1, maxCount) {
		c.refuse(path+".window", cond.Window, fmt.Sprintf("a whole number of events from 1 to %d", maxCount))
		return DefaultWindow
	}
	return int64(cond.Window)
}

func (c *compiler) field(path, name string) field {
	f, ok := compileField(name)
	if !ok {
		c.refuse(path, quote(name), fmt.Sprintf("one of %s, or a path into an object such as output_data.score", strings.Join(Fields(), ", ")))
	}
	return f
}

func (c *compiler) operator(path, op string) operator {
	i := slices.Index(operators, op)
	if i < 0 {
		c.refuse(path+".op", quote(op), "one of "+strings.Join(operators, ", "))
	}
	return operator(i)
}

// given lists the parameters that are not zero.
func (c *Condition) given() []string {
	var names []string
	for _, p := range [...]struct {
		name  string
		given bool
	}{
		{"field", c.Field != ""},
		{"op", c.Op != ""},
		{"value", c.Value != nil},
		{"window_seconds", c.WindowSeconds != 0},
		{"threshold", c.Threshold != nil},
		{"event_type", c.EventType != ""},
		{"count", c.Count != 0},
		{"pattern", c.Pattern != ""},
		{"metric", c.Metric != ""},
		{"agg_func", c.AggFunc != ""},
		{"window", c.Window != 0},
		{"mode", c.Mode != ""},
		{"conditions", c.Conditions != nil},
	} {
		if p.given {
			names = append(names, p.name)
		}
	}
	return names
}

func whole(x, low, high float64) bool { return x >= low && x <= high && x == math.Trunc(x) }

func micros(seconds float64) int64 { return int64(math.Round(seconds * 1e6)) }

func shown(v any) string {
	if v == nil {
		return "missing"
	}
	return fmt.Sprintf("%#v", v)
}

// pattern compiles the matcher of a pattern condition.
func (c *compiler) pattern(path string, cond *Condition) matcher {
	m := matcher{field: c.field(path+".field", cond.Field)}
	if m.field.kind == number || m.field.kind == boolean {
		c.refuse(path+".field", quote(cond.Field), "a field that is a text or an object")
	}
	re, err := compilePattern(cond.Pattern)
	switch {
	case cond.Pattern == "":
		c.refuse(path+".pattern", "missing", "a regular expression")
	case err != nil:
		c.refuse(path+".pattern", quote(cond.Pattern), "a regular expression in RE2 syntax: "+err.Error())
	}
	m.pattern = re
	return m
}

// matcher compiles the comparison of a field with a value.
func (c *compiler) matcher(path string, cond *Condition, defaultOp string) matcher {
	op := cond.Op
	if op == "" && defaultOp != "" {
		op = defaultOp
	}
	m := matcher{field: c.field(path+".field", cond.Field), op: c.operator(path, op)}
	want := map[fieldKind]string{number: "a finite number", text: "a string", boolean: "true or false", object: "a number, a string, true or false"}[m.field.kind]
	switch v := cond.Value.(type) {
	case string:
		m.want = value{kind: text, text: v}
	case bool:
		m.want = value{kind: boolean, truth: v}
	default:
		if x, ok := toNumber(v); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
			m.want = value{kind: number, number: x}
		}
	}
	switch {
	case m.field.kind == object && m.field.path == nil:
		c.refuse(path+".field", quote(cond.Field), "a path into the object, such as "+cond.Field+".score")
	case m.want.kind == absent || (m.field.kind != object && m.field.kind != absent && m.want.kind != m.field.kind):
		c.refuse(path+".value", shown(cond.Value), want)
	case m.want.kind != number && m.op.ordered():
		c.refuse(path+".op", quote(op), "== or != for "+shown(cond.Value)+", which is not a number")
	}
	return m
}
