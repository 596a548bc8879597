package compliance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
)

// CustomFunc judges a session for a custom rule, and says why.
type CustomFunc func(*analysis.Summary) (ok bool, message string)

// Option configures a Checker.
type Option func(*Checker)

// WithCustom registers the function of the custom rules called name.
func WithCustom(name string, check CustomFunc) Option {
	return func(c *Checker) { c.custom[name] = check }
}

// Checker checks sessions against one policy. It is safe for concurrent use
// when its custom functions are.
type Checker struct {
	policy string
	rules  []compiled
	custom map[string]CustomFunc
}

// compiled is a rule with its names looked up and its lists prepared.
type compiled struct {
	kind     Kind
	name     string
	severity Severity
	bound    float64
	list     []string // lower case, sorted, without doubles
	custom   CustomFunc
	// share is the last share that was not what the rule wants, and the reason.
	share atomic.Pointer[shareReason]
}

type shareReason struct {
	share  float64
	reason string
}

// NewChecker compiles a policy. It returns the *analysis.FieldErrors of
// Policy.Validate, and one for each custom rule without a function.
func NewChecker(policy *Policy, opts ...Option) (*Checker, error) {
	if err := policy.Validate(); err != nil {
		return nil, fmt.Errorf("compliance policy: %w", err)
	}
	c := &Checker{policy: policy.Name, rules: make([]compiled, len(policy.Rules)), custom: map[string]CustomFunc{}}
	for _, opt := range opts {
		opt(c)
	}
	for i := range policy.Rules {
		r := &policy.Rules[i]
		rule := &c.rules[i]
		rule.kind, rule.name, rule.severity, rule.bound = r.Kind, r.Name, r.Severity, r.bound()
		if rule.severity == "" {
			rule.severity = SeverityError
		}
		switch r.Kind {
		case AllowedModels, ForbiddenModels:
			rule.list = lowered(r.Models)
		case RequiredTools, ForbiddenTools:
			rule.list = lowered(r.Tools)
		case Custom:
			if rule.custom = c.custom[r.Name]; rule.custom == nil {
				return nil, fmt.Errorf("compliance policy: %w", &analysis.FieldError{
					Field: fmt.Sprintf("rules[%d].name", i), Value: fmt.Sprintf("%q", r.Name),
					Want: fmt.Sprintf("a registered function, of which there are %v", slices.Sorted(maps.Keys(c.custom))),
				})
			}
		}
	}
	return c, nil
}

// CheckSession checks a session: Check of its summary.
func (c *Checker) CheckSession(s *analysis.Session) *Report { return c.Check(s.Summary()) }

// Check checks what a session has done so far.
func (c *Checker) Check(s *analysis.Summary) *Report {
	report := &Report{Results: make([]Result, 0, len(c.rules))}
	c.check(report, usage{summary: s, models: namesUsed{counts: &s.Models}, tools: namesUsed{counts: &s.Tools}, told: true})
	return report
}

// Verdicts makes a report that of Check, in the memory that its Results have, but
// for the names in Actual and Expected: they stay null. It is for who passes on
// what the rules say and why, and allocates nothing but the reasons.
func (c *Checker) Verdicts(report *Report, s *analysis.Summary) {
	c.check(report, usage{summary: s, models: namesUsed{counts: &s.Models}, tools: namesUsed{counts: &s.Tools}})
}

func (c *Checker) check(report *Report, used usage) {
	s := used.summary
	results := slices.Grow(report.Results[:0], len(c.rules))[:len(c.rules)]
	clear(results)
	*report = Report{
		Policy: c.policy, SessionID: s.SessionID, AgentName: s.AgentName,
		TotalRules: len(c.rules), Results: results,
	}
	for i := range c.rules {
		rule := &c.rules[i]
		result := &report.Results[i]
		result.Kind, result.Name, result.Severity = rule.kind, rule.name, rule.severity
		rule.judge(&used, result)
		switch result.Verdict {
		case Pass:
			report.Passed++
		case Skip:
			report.Skipped++
		case Fail:
			report.Failed++
			if rule.severity == SeverityError {
				report.FailedErrors++
			} else {
				report.FailedWarnings++
			}
		}
	}
	report.Compliant = report.FailedErrors == 0
}

func (r *compiled) judge(u *usage, out *Result) {
	s := u.summary
	switch r.kind {
	case MaxTokens:
		r.atMost(out, float64(s.Tokens()), " tokens, at most ")
	case MinTokens:
		r.atLeast(out, float64(s.Tokens()), " tokens, at least ")
	case MaxEvents:
		r.atMost(out, float64(s.Events), " events, at most ")
	case MinEvents:
		r.atLeast(out, float64(s.Events), " events, at least ")
	case MaxToolCalls:
		r.atMost(out, float64(s.ToolCalls), " tool calls, at most ")
	case MaxDurationMS:
		if d, ended := s.Duration(); ended {
			r.atMost(out, float64(d)/float64(time.Millisecond), " ms, at most ")
		} else {
			skip(out, "the session has not ended")
		}
	case MaxErrorRate:
		if s.Events > 0 {
			r.atMost(out, float64(s.Errors)/float64(s.Events), " of the events failed, at most ")
		} else {
			skip(out, "the session has no events")
		}
	case RequireReasoning:
		if s.Decisions > 0 {
			r.atLeast(out, float64(s.Reasoned)/float64(s.Decisions), " of the llm_call and decision events have reasoning, at least ")
		} else {
			skip(out, "the session has no llm_call or decision events")
		}
	case AllowedModels:
		r.allowed(out, &u.models, u.told)
	case ForbiddenModels:
		r.forbidden(out, &u.models, u.told)
	case ForbiddenTools:
		r.forbidden(out, &u.tools, u.told)
	case RequiredTools:
		r.required(out, &u.tools, u.told)
	case Custom:
		r.ask(out, s)
	}
}

func (r *compiled) atMost(out *Result, x float64, but string) {
	out.Actual, out.Expected, out.Verdict = numberValue(x), numberValue(r.bound), Pass
	if x > r.bound {
		fail(out, r.unlike(x, but, " allowed"))
	}
}

func (r *compiled) atLeast(out *Result, x float64, but string) {
	out.Actual, out.Expected, out.Verdict = numberValue(x), numberValue(r.bound), Pass
	if x < r.bound {
		fail(out, r.unlike(x, but, " required"))
	}
}

// unlike writes that a number is not what a rule wants it to be. Shares are often
// those of the session before, for sessions are alike and short; sums are not.
func (r *compiled) unlike(x float64, but, end string) string {
	share := r.kind == MaxErrorRate || r.kind == RequireReasoning
	if last := r.share.Load(); share && last != nil && last.share == x {
		return last.reason
	}
	var room [128]byte
	b := append(appendNumber(room[:0], x), but...)
	reason := string(append(appendNumber(b, r.bound), end...))
	if share {
		r.share.Store(&shareReason{x, reason})
	}
	return reason
}

// allowed passes when every used name is in the list. A name beyond those the
// summary keeps may be anything, so it is not allowed.
func (r *compiled) allowed(out *Result, used *namesUsed, told bool) {
	unknown := used.counts.Other
	if len(used.counts.List) == 0 && unknown == 0 {
		skip(out, "the session used no model")
		return
	}
	out.Verdict = Pass
	if told {
		out.Actual, out.Expected = namesValue(used.names()), namesValue(r.list)
	}
	if unknown == 0 && used.none(r.list, false) {
		return
	}
	offenders := filter(used.names(), r.list, false)
	if told {
		out.Actual = namesValue(offenders)
	}
	fail(out, because("not allowed: ", offenders, unknown))
}

// forbidden passes when no used name is in the list, which cannot be said when
// the summary does not keep every name; then it fails and says so.
func (r *compiled) forbidden(out *Result, used *namesUsed, told bool) {
	unknown := used.counts.Other
	out.Verdict = Pass
	if told {
		out.Actual = namesValue(used.names())
	}
	if used.none(r.list, true) {
		if unknown > 0 && len(r.list) > 0 {
			fail(out, because("cannot tell: ", nil, unknown))
		}
		return
	}
	offenders := filter(used.names(), r.list, true)
	if told {
		out.Actual = namesValue(offenders)
	}
	fail(out, because("forbidden: ", offenders, 0))
}

func (r *compiled) required(out *Result, used *namesUsed, told bool) {
	out.Verdict = Pass
	if told {
		out.Actual, out.Expected = namesValue(used.names()), namesValue(r.list)
	}
	if missing := filter(r.list, used.names(), false); len(missing) > 0 {
		fail(out, because("missing: ", missing, used.counts.Other))
	}
}

func (r *compiled) ask(out *Result, s *analysis.Summary) {
	defer func() {
		if p := recover(); p != nil {
			fail(out, fmt.Sprintf("the function panicked: %v", p))
		}
	}()
	ok, message := r.custom(s)
	if ok {
		out.Verdict = Pass
		return
	}
	if message == "" {
		message = "refused by " + r.name
	}
	fail(out, message)
}

func skip(out *Result, why string) { out.Verdict, out.Message = Skip, why }
func fail(out *Result, why string) { out.Verdict, out.Message = Fail, why }

// because writes a list of names and how many uses have names that were not
// kept.
func because(what string, list []string, unknown int64) string {
	text := what + strings.Join(list, ", ")
	if unknown == 0 {
		return text
	}
	if len(list) > 0 {
		text += "; "
	}
	return text + fmt.Sprintf("%d uses have names beyond the %d that a session keeps", unknown, analysis.MaxNames)
}

// usage is a summary as the rules look at it.
type usage struct {
	summary       *analysis.Summary
	models, tools namesUsed
	// told says that the names stand in the results.
	told bool
}

// namesUsed are the models or the tools of a session, as they are counted and
// lower-cased.
type namesUsed struct {
	counts *analysis.Counts
	list   []string
}

// names returns them in lower case, sorted, without doubles; made once a check.
func (n *namesUsed) names() []string {
	if n.list == nil {
		n.list = lowered(n.counts.Names())
	}
	return n.list
}

// none reports whether no name is in a sorted list, or none is not.
func (n *namesUsed) none(list []string, in bool) bool {
	for i := range n.counts.List {
		if has(list, n.counts.List[i].Name) == in {
			return false
		}
	}
	return true
}

// has reports whether a name, in lower case, is in a list of names as lowered makes
// it.
func has(list []string, name string) bool {
	const few = 8 // are as quickly looked through as searched by halves
	if len(list) > few || !isASCII(name) {
		_, found := slices.BinarySearch(list, strings.ToLower(name))
		return found
	}
	for _, other := range list {
		if len(other) == len(name) && isLower(other, name) {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isLower reports whether lower is a name of ASCII as long as it in lower case.
func isLower(lower, name string) bool {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func lowered(list []string) []string {
	out := make([]string, len(list))
	for i, name := range list {
		out[i] = strings.ToLower(name)
	}
	return sortedSet(out)
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// filter returns the names of a sorted list that another sorted list has, or
// has not; never nil.
func filter(list, other []string, wanted bool) []string {
	out := []string{}
	for _, name := range list {
		if _, found := slices.BinarySearch(other, name); found == wanted {
			out = append(out, name)
		}
	}
	return out
}
