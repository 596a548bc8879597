package insight

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/backend/finding"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// Tags of sessions that the collector has checked.
const (
	tagFail = "compliance:fail"
	tagPass = "compliance:pass"
)

// Compliance is what the collector's policies said of the sessions of a period.
type Compliance struct {
	Agent string `json:"agent_name,omitempty"`
	// Sessions counts those that ended, Failed those of them that broke a
	// policy, Passed those that were checked and broke none.
	Sessions int64 `json:"sessions"`
	Failed   int64 `json:"failed"`
	Passed   int64 `json:"passed"`
	// Rate is Passed over all that were checked. It is absent when no session
	// was found to pass: a collector without policies checks nothing, and that
	// is not the same as a rate of 100 %.
	Rate analysis.Opt[float64] `json:"rate"`
	// Rules are the rules that failed, the most frequent first.
	Rules []RuleFailures `json:"rules"`
	// Days has an entry for each day of the period, in order.
	Days []ComplianceDay `json:"days"`
	// Check is what a policy says that was asked for.
	Check *Check `json:"check,omitempty"`
}

// RuleFailures is how often a rule failed, each session counted once.
type RuleFailures struct {
	Policy   string `json:"policy"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Failed   int64  `json:"failed"`
	// ByDay counts by the day on which the session started, in step with Days.
	ByDay []int64 `json:"by_day"`
}

// ComplianceDay is one UTC day.
type ComplianceDay struct {
	Day    time.Time `json:"day"`
	Failed int64     `json:"failed"`
	Passed int64     `json:"passed"`
}

// maxNotes bounds how many findings are read to count rules.
const maxNotes = 20_000

// Compliance returns the verdicts on the sessions of the last days, of one
// agent or all.
func (s *Source) Compliance(ctx context.Context, agent string, days int) (*Compliance, error) {
	r := s.Period(days, agent)
	c := &Compliance{Agent: agent, Rules: []RuleFailures{}}
	sums, err := s.store.SessionSums(ctx, r)
	if err != nil {
		return nil, err
	}
	c.Sessions = int64(sums.Sessions - sums.Statuses[analysis.StatusActive])
	tags, err := s.store.TagDays(ctx, r, tagFail, tagPass)
	if err != nil {
		return nil, err
	}
	at := map[time.Time]int{}
	for day := r.From; day.Before(r.To); day = day.AddDate(0, 0, 1) {
		at[day] = len(c.Days)
		c.Days = append(c.Days, ComplianceDay{Day: day})
	}
	for _, t := range tags {
		i, ok := at[t.Day]
		if !ok {
			continue
		}
		if t.Tag == tagFail {
			c.Days[i].Failed += int64(t.N)
			c.Failed += int64(t.N)
		} else {
			c.Days[i].Passed += int64(t.N)
			c.Passed += int64(t.N)
		}
	}
	if c.Passed > 0 {
		c.Rate = rate(c.Passed, c.Passed+c.Failed)
	}
	return c, s.rules(ctx, c, r, at)
}

// rules counts the failures by rule.
func (s *Source) rules(ctx context.Context, c *Compliance, r store.Range, at map[time.Time]int) error {
	notes, _, err := s.store.Notes(ctx, store.NoteQuery{
		Author: finding.Author, Prefixes: finding.Prefixes(finding.Compliance), Agent: r.Agent, From: r.From, Limit: maxNotes,
	})
	if err != nil {
		return err
	}
	type key struct{ policy, rule, severity string }
	found := map[key]*RuleFailures{}
	seen := map[key]map[string]bool{}
	for i := range notes {
		f := finding.Parse(notes[i].Author, notes[i].Text)
		day, ok := at[notes[i].StartedAt.Truncate(24*time.Hour)]
		if !ok || f.Rule == "" {
			continue
		}
		k := key{f.Policy, f.Rule, f.Severity}
		if found[k] == nil {
			found[k] = &RuleFailures{Policy: f.Policy, Rule: f.Rule, Severity: f.Severity, ByDay: make([]int64, len(c.Days))}
			seen[k] = map[string]bool{}
		}
		if seen[k][notes[i].SessionID] {
			continue
		}
		seen[k][notes[i].SessionID] = true
		found[k].Failed++
		found[k].ByDay[day]++
	}
	for _, f := range found {
		c.Rules = append(c.Rules, *f)
	}
	slices.SortFunc(c.Rules, func(a, b RuleFailures) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Severity, b.Severity))
	})
	return nil
}

// Check is what a policy would say of an agent's sessions, by the compliance
// engine on their summaries.
type Check struct {
	Policy    string                `json:"policy"`
	Sessions  int                   `json:"sessions"`
	Compliant int                   `json:"compliant"`
	Rate      analysis.Opt[float64] `json:"rate"`
	Rules     []CheckedRule         `json:"rules"`
}

// CheckedRule counts a rule's verdicts.
type CheckedRule struct {
	Kind     compliance.Kind     `json:"kind"`
	Severity compliance.Severity `json:"severity"`
	Passed   int                 `json:"passed"`
	Failed   int                 `json:"failed"`
	Skipped  int                 `json:"skipped"`
}

// Check checks an agent's latest ended sessions, at most limit, against a
// policy.
func (s *Source) Check(ctx context.Context, agent string, policy *compliance.Policy, limit int) (*Check, error) {
	checker, err := compliance.NewChecker(policy)
	if err != nil {
		return nil, err
	}
	sessions, err := s.store.Summaries(ctx, store.SummaryQuery{Agent: agent, Ended: true, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := &Check{Policy: policy.Name, Sessions: len(sessions), Rules: make([]CheckedRule, len(policy.Rules))}
	for i, rule := range policy.Rules {
		out.Rules[i] = CheckedRule{Kind: rule.Kind, Severity: cmp.Or(rule.Severity, compliance.SeverityError)}
	}
	for _, sess := range sessions {
		report := checker.Check(sess)
		if report.Compliant {
			out.Compliant++
		}
		for i, result := range report.Results {
			switch result.Verdict {
			case compliance.Pass:
				out.Rules[i].Passed++
			case compliance.Fail:
				out.Rules[i].Failed++
			case compliance.Skip:
				out.Rules[i].Skipped++
			}
		}
	}
	out.Rate = rate(int64(out.Compliant), int64(out.Sessions))
	return out, nil
}
