package drift

import (
	"cmp"
	"math"
	"slices"
)

// compare compares two windows, neither empty: the plain figures, then all
// tests, and from their outcome the changes, the score and the verdict.
func compare(base, cur []*sample, cfg *Config) *Report {
	r := &Report{
		BaselineSessions: len(base),
		CurrentSessions:  len(cur),
		Changes:          []string{},
		DriftingMetrics:  []string{},
	}
	for id := range metrics {
		observedBase, observedCur := column(base, id, true), column(cur, id, true)
		if id == costUSD && (len(observedBase) == 0 || len(observedCur) == 0) {
			continue
		}
		plainBase, plainCur := observedBase, observedCur
		if id != costUSD {
			plainBase, plainCur = column(base, id, false), column(cur, id, false)
		}
		m := plain(metrics[id].name, plainBase, plainCur, cfg.Threshold)
		m.Test = testMetric(id, observedBase, observedCur)
		if m.IsDrifting {
			r.DriftingMetrics = append(r.DriftingMetrics, m.Name)
		}
		r.Metrics = append(r.Metrics, m)
	}
	r.Tools = compareMix(base, cur, toolsOf)
	r.Models = compareMix(base, cur, modelsOf)
	r.EventTypes = compareMix(base, cur, eventTypesOf)
	r.judge(cfg)
	return r
}

// outcome is one test of a report, with what the verdict needs of it.
type outcome struct {
	name   string
	family family
	// effect is in standard deviations, with a sign where it has one.
	effect float64
	// large says whether the change would be worth reporting if it were sure.
	large bool
	*Evidence
}

// judge adjusts the p-values of all tests, and sets what follows from them.
func (r *Report) judge(cfg *Config) {
	tests := r.outcomes(cfg)
	adjust(tests, cfg.FalseAlarmRate)
	var changes []outcome
	for _, t := range tests {
		t.Changed = t.Significant && t.large
		if t.Changed {
			changes = append(changes, t)
		}
	}
	slices.SortStableFunc(changes, func(a, b outcome) int {
		return cmp.Compare(math.Abs(b.effect), math.Abs(a.effect))
	})
	for _, c := range changes {
		r.Changes = append(r.Changes, c.name)
	}
	r.Score = score(tests, changes)
	r.Status = statusOf(r.Score)
	r.weighEvidence(len(tests), cfg)
	r.Summary = r.sentence()
}

// outcomes returns the tests that could be made, in a fixed order.
func (r *Report) outcomes(cfg *Config) []outcome {
	var tests []outcome
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if !m.Test.OK {
			continue
		}
		t := &m.Test.V
		id := metricID(m.Name)
		tests = append(tests, outcome{
			name: m.Name, family: metrics[id].family, effect: t.HedgesG, Evidence: &t.Evidence,
			large: math.Abs(t.HedgesG) >= cfg.MinEffect && largeChange(id, t, cfg),
		})
	}
	for _, m := range [...]struct {
		name   string
		family family
		mix    *Mix
	}{
		{"tools", behaviourFamily, &r.Tools},
		{"models", modelFamily, &r.Models},
		{"event_types", behaviourFamily, &r.EventTypes},
	} {
		if !m.mix.Test.OK {
			continue
		}
		t := &m.mix.Test.V
		tests = append(tests, outcome{
			name: m.name, family: m.family, effect: t.Effect, Evidence: &t.Evidence,
			large: t.Effect >= cfg.MinEffect,
		})
	}
	return tests
}

// metricID returns the index of a metric, -1 when there is none of that name.
func metricID(name string) int {
	for id := range metrics {
		if metrics[id].name == name {
			return id
		}
	}
	return -1
}

// largeChange reports whether a change of the typical value is worth reporting
// apart from how it compares with the spread: of a very even metric a change
// of a thousandth is many standard deviations.
func largeChange(metric int, t *Test, cfg *Config) bool {
	diff := math.Abs(t.CurrentTypical - t.BaselineTypical)
	if metrics[metric].unit == 0 {
		return diff >= cfg.MinRateChange
	}
	return diff > 0 && diff >= cfg.MinChange*t.BaselineTypical
}
