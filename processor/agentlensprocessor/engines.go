package agentlensprocessor

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/sessions"
)

// engines are the analysis engines as configured. One that is switched off, or
// has nothing to do, is nil and costs nothing.
type engines struct {
	prices   *pricing.Table
	policies []policy
	// results are the labels of what the rules can say, policy by policy, rule by
	// rule.
	results  []ruleLabels
	drift    *driftEngine
	forecast *forecastEngine
	alerts   *alertEngine
}

func newEngines(cfg *Config) (*engines, error) {
	var e engines
	var err error
	if cfg.Cost.Enabled {
		if e.prices, err = cfg.Cost.prices(); err != nil {
			return nil, err
		}
	}
	if cfg.Compliance.Enabled {
		if e.policies, e.results, err = newPolicies(cfg.Compliance); err != nil {
			return nil, err
		}
	}
	if cfg.Drift.Enabled {
		e.drift = newDriftEngine(cfg.Drift)
	}
	if cfg.Forecast.Enabled {
		if e.forecast, err = newForecastEngine(cfg.Forecast); err != nil {
			return nil, fmt.Errorf("`forecast`: %w", err)
		}
	}
	if cfg.Alerts.Enabled && len(cfg.Alerts.Rules) > 0 {
		if e.alerts, err = newAlertEngine(cfg.Alerts); err != nil {
			return nil, fmt.Errorf("`alerts`: %w", err)
		}
	}
	return &e, nil
}

// eventFindings is what the engines say of one event.
type eventFindings struct {
	alerts  []alert.Alert
	late    bool
	budgets []budgetFinding
}

// any reports whether something was found.
func (f *eventFindings) any() bool { return len(f.alerts) > 0 || len(f.budgets) > 0 }

// observe shows an event, which counts, to the engines that watch the stream, which
// put into f what they find. An engine's error is of that event alone, which it has
// left out.
func (e *engines) observe(ev *analysis.Event, agent string, now time.Time, f *eventFindings) (err error) {
	if e.alerts != nil {
		f.alerts, f.late = e.alerts.observe(ev, agent, now)
	}
	if e.forecast != nil && ev.CostUSD.OK {
		f.budgets, err = e.forecast.add(ev, agent)
	}
	return err
}

// verdict is what the engines say of a whole session.
type verdict struct {
	compliance []*compliance.Report
	drift      *driftFinding
	forecast   *forecastFinding
}

// judge gives the verdict on a session, but for drift, and counts it.
func (e *engines) judge(s *sessions.Session, b *batch) (v verdict, err error) {
	v.compliance = e.check(b.checked, s, &b.tally)
	b.checked = v.compliance
	if e.forecast != nil {
		v.forecast, err = e.forecast.of(s.Summary.AgentName)
	}
	return v, err
}

// standing is the verdict on a session that was judged before: no engine takes
// it in again.
func (e *engines) standing(s *sessions.Session) verdict {
	v := verdict{compliance: e.check(nil, s, nil)}
	if e.drift != nil {
		v.drift = e.drift.at(s.Summary.AgentName, s.Summary.EndedAt)
	}
	return v
}

// check runs the policies that are for a session, and counts their results
// unless t is nil. It uses the memory of other reports.
func (e *engines) check(reports []*compliance.Report, s *sessions.Session, t *tally) []*compliance.Report {
	reports = reports[:0]
	for i := range e.policies {
		if p := &e.policies[i]; p.matches(s.Summary, s.Service().Attributes) {
			n := len(reports)
			reports = slices.Grow(reports, 1)[:n+1]
			if reports[n] == nil {
				reports[n] = &compliance.Report{}
			}
			p.checker.Verdicts(reports[n], s.Summary)
			if t != nil {
				t.check(p, reports[n])
			}
		}
	}
	return reports
}

// fingerprint is equal for sessions and reports that say the same.
func fingerprint(s *analysis.Summary, reports []*compliance.Report) uint64 {
	var room [512]byte
	b := room[:0]
	for _, n := range [...]uint64{uint64(s.Events), uint64(s.TokensIn), uint64(s.TokensOut), uint64(s.Errors), uint64(s.CostUSD.Hi), s.CostUSD.Lo} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, report := range reports {
		b = binary.AppendUvarint(appendText(b, report.Policy), uint64(len(report.Results)))
		for i := range report.Results {
			r := &report.Results[i]
			b = appendText(b, string(r.Kind))
			b = appendText(b, string(r.Verdict))
			b = appendText(b, r.Message)
		}
	}
	return xxhash.Sum64(b)
}

// appendText writes a text so that it can be told from what follows.
func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
