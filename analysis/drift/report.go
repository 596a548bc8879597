package drift

import "github.com/agentlens/agentlens-otel/analysis"

// Status is the verdict of a comparison.
type Status string

// The original's statuses, by the score rounded to a whole number, and
// NotEnoughEvidence: nothing changed that could be shown, but with so few
// sessions a change might have stayed unseen.
const (
	Stable            Status = "stable"              // 0 to 15
	MinorDrift        Status = "minor_drift"         // 16 to 40
	SignificantDrift  Status = "significant_drift"   // 41 to 70
	Degraded          Status = "degraded"            // 71 to 100
	NotEnoughEvidence Status = "not_enough_evidence" // 0 to 15
)

// Direction says which way a metric went.
type Direction string

// The directions of the original: stable when |Cohen's d| < 0.2.
const (
	Increased       Direction = "increased"
	Decreased       Direction = "decreased"
	StableDirection Direction = "stable"
)

// Report is what a comparison found. Format renders it for people; its JSON
// has the same keys always.
type Report struct {
	// Score is 0 to 100: below 16 nothing changed that is sure and worth
	// reporting, and above the larger the effects that are.
	Score  float64 `json:"drift_score"`
	Status Status  `json:"status"`
	// Summary says the verdict in a sentence or two.
	Summary          string `json:"summary"`
	BaselineSessions int    `json:"baseline_sessions"`
	CurrentSessions  int    `json:"current_sessions"`
	// Changes names the metrics and the mixes whose change is sure and worth
	// reporting, largest effect first.
	Changes []string `json:"changes"`
	// Metrics are sorted by name. Cost is among them when it is known of
	// sessions on both sides.
	Metrics []Metric `json:"metrics"`
	// DriftingMetrics names the metrics whose plain |Cohen's d| reaches the
	// threshold, as the original reports them. Chance alone gets there often.
	DriftingMetrics []string `json:"drifting_metrics"`
	Tools           Mix      `json:"tools"`
	Models          Mix      `json:"models"`
	EventTypes      Mix      `json:"event_types"`
	// DetectableEffect is the smallest change of a metric, in standard
	// deviations, that these windows show with a probability of 80 %; absent
	// when they could not show any.
	DetectableEffect analysis.Opt[float64] `json:"detectable_effect,omitzero"`
	// MoreBaseline and MoreCurrent are about how many sessions are missing on
	// either side to show a change of Config.DetectableEffect; 0 unless the
	// status is NotEnoughEvidence.
	MoreBaseline int `json:"more_baseline_sessions"`
	MoreCurrent  int `json:"more_current_sessions"`
}

// Metric compares one figure of the sessions: first as the original does.
type Metric struct {
	Name         string  `json:"name"`
	BaselineMean float64 `json:"baseline_mean"`
	CurrentMean  float64 `json:"current_mean"`
	// BaselineStd and CurrentStd are population standard deviations over
	// sessions.
	BaselineStd float64 `json:"baseline_std"`
	CurrentStd  float64 `json:"current_std"`
	// RelativeChange is (current-baseline)/|baseline|; 1 from a baseline of 0.
	RelativeChange float64 `json:"relative_change"`
	// EffectSize is Cohen's d over the population standard deviations.
	EffectSize float64   `json:"effect_size"`
	Direction  Direction `json:"direction"`
	// IsDrifting is |EffectSize| >= Config.Threshold.
	IsDrifting bool `json:"is_drifting"`
	// Test is absent when the metric is the same in every session, or is not
	// observed on both sides.
	Test analysis.Opt[Test] `json:"test,omitzero"`
}

// Test is the evidence that a metric changed: a two-sided Mann-Whitney test
// over the sessions in which the metric was observed, and Hedges' g on a log
// scale for all metrics but rates.
type Test struct {
	BaselineSessions int `json:"baseline_sessions"`
	CurrentSessions  int `json:"current_sessions"`
	// BaselineTypical and CurrentTypical are means on the scale of the test,
	// carried back: for skewed metrics close to the geometric mean.
	BaselineTypical float64 `json:"baseline_typical"`
	CurrentTypical  float64 `json:"current_typical"`
	// HedgesG lies in GLow to GHigh with a confidence of 95 %.
	HedgesG float64 `json:"hedges_g"`
	GLow    float64 `json:"g_low"`
	GHigh   float64 `json:"g_high"`
	Evidence
}

// Evidence is the outcome of one of the tests of a comparison.
type Evidence struct {
	PValue float64 `json:"p_value"`
	// AdjustedP is the Benjamini-Hochberg adjusted p over all tests.
	AdjustedP float64 `json:"adjusted_p"`
	// Significant is AdjustedP <= Config.FalseAlarmRate.
	Significant bool `json:"significant"`
	// Changed is Significant, and large enough to be worth reporting.
	Changed bool `json:"changed"`
}

// Mix compares how often tools, models or event types occur.
type Mix struct {
	// Shares are sorted by name.
	Shares []Share `json:"shares"`
	// Test is absent when the mix is the same name in every session, or is
	// not observed on both sides.
	Test analysis.Opt[MixTest] `json:"test,omitzero"`
}

// Share is how often one tool, model or event type occurs.
type Share struct {
	Name string `json:"name"`
	// BaselineRate and CurrentRate are its events over all events of the
	// window, Change the difference.
	BaselineRate float64 `json:"baseline_rate"`
	CurrentRate  float64 `json:"current_rate"`
	Change       float64 `json:"change"`
	// IsNew and IsDropped: it occurs on one side only.
	IsNew     bool `json:"is_new"`
	IsDropped bool `json:"is_dropped"`
}

// MixTest is the evidence that a mix changed: a permutation test over whole
// sessions.
type MixTest struct {
	BaselineSessions int `json:"baseline_sessions"`
	CurrentSessions  int `json:"current_sessions"`
	// Divergence is the Jensen-Shannon divergence of the mean shares of a
	// session, in bits: 0 = alike, 1 = nothing in common.
	Divergence float64 `json:"divergence_bits"`
	// Effect is the divergence beyond what chance brings, in standard
	// deviations, so that it compares with Hedges' g.
	Effect float64 `json:"effect"`
	Evidence
}
