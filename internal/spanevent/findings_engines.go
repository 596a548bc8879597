package spanevent

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/semconv"
)

// StampAlerts writes onto the span of an event the alerts that it fired, and
// those that it resolved.
func StampAlerts(span ptrace.Span, alerts []alert.Alert) {
	for i := range alerts {
		a := &alerts[i]
		name := semconv.EventAlertFired
		if a.Resolved {
			name = semconv.EventAlertResolved
		}
		attrs := addEvent(span, name, a.Timestamp)
		attrs.PutStr(semconv.AlertRule, a.RuleName)
		attrs.PutStr(semconv.AlertSeverity, string(a.Severity))
		attrs.PutStr(semconv.AlertMessage, a.Message)
		if a.Value.OK {
			attrs.PutDouble(semconv.AlertValue, a.Value.V)
		}
		if a.Threshold.OK {
			attrs.PutDouble(semconv.AlertThreshold, a.Threshold.V)
		}
		putText(attrs, semconv.AlertGroupBy, a.Group.By)
		putText(attrs, semconv.AlertGroup, a.Group.Value)
		putText(attrs, semconv.AlertStateID, a.Group.StateID)
	}
}

// StampDrift writes onto the span that ends a session where its agent stands.
func StampDrift(span ptrace.Span, score float64, status drift.Status) {
	span.Attributes().PutDouble(semconv.DriftScore, score)
	span.Attributes().PutStr(semconv.DriftStatus, string(status))
}

// StampDriftDetected writes that an agent's status is another than before: one
// event for each metric that changed, with its figures, and one for each mix
// that did; a single one when nothing is changed any more.
func StampDriftDetected(span ptrace.Span, report *drift.Report, at time.Time) {
	event := func() pcommon.Map {
		attrs := addEvent(span, semconv.EventDriftDetected, at)
		attrs.PutStr(semconv.DriftStatus, string(report.Status))
		attrs.PutDouble(semconv.DriftScore, report.Score)
		attrs.PutStr(semconv.DriftSummary, report.Summary)
		return attrs
	}
	if len(report.Changes) == 0 {
		event()
		return
	}
	metrics := map[string]*drift.Metric{}
	for i := range report.Metrics {
		metrics[report.Metrics[i].Name] = &report.Metrics[i]
	}
	mixes := map[string]*drift.Mix{"tools": &report.Tools, "models": &report.Models, "event_types": &report.EventTypes}
	for _, name := range report.Changes {
		attrs := event()
		attrs.PutStr(semconv.DriftMetric, name)
		if m := metrics[name]; m != nil {
			attrs.PutDouble(semconv.DriftBaselineValue, m.BaselineMean)
			attrs.PutDouble(semconv.DriftCurrentValue, m.CurrentMean)
			if m.Test.OK {
				attrs.PutDouble(semconv.DriftEffectSize, m.Test.V.HedgesG)
			}
		}
		if mix := mixes[name]; mix != nil {
			stampMix(attrs, mix)
		}
	}
}

// stampMix names what of a mix is new and what is gone.
func stampMix(attrs pcommon.Map, mix *drift.Mix) {
	if mix.Test.OK {
		attrs.PutDouble(semconv.DriftEffectSize, mix.Test.V.Effect)
	}
	var fresh, gone []string
	for _, s := range mix.Shares {
		if s.IsNew {
			fresh = append(fresh, s.Name)
		}
		if s.IsDropped {
			gone = append(gone, s.Name)
		}
	}
	putNames(attrs, semconv.DriftNew, fresh)
	putNames(attrs, semconv.DriftDropped, gone)
}

func putNames(attrs pcommon.Map, key string, names []string) {
	putText(attrs, key, strings.Join(names, ", "))
}

func putText(attrs pcommon.Map, key, text string) {
	if text != "" {
		attrs.PutStr(key, text)
	}
}

// StampForecast writes onto the span that ends a session what its agent is
// expected to cost: in US dollars on a day of the horizon, and over all of it.
func StampForecast(span ptrace.Span, r *forecast.Result) {
	days := len(r.DailyPredictions)
	if days == 0 {
		return
	}
	putForecast(span.Attributes(), r, days)
}

// StampForecastComputed writes the day's first forecast as an event of its own.
func StampForecastComputed(span ptrace.Span, agent string, r *forecast.Result, at time.Time) {
	days := len(r.DailyPredictions)
	if days == 0 {
		return
	}
	attrs := addEvent(span, semconv.EventForecastComputed, at)
	attrs.PutStr(semconv.AgentLensAgentName, agent)
	putForecast(attrs, r, days)
}

func putForecast(attrs pcommon.Map, r *forecast.Result, days int) {
	attrs.PutDouble(semconv.ForecastDailyCost, r.TotalPredictedCost/float64(days))
	attrs.PutDouble(semconv.ForecastTotalCost, r.TotalPredictedCost)
	attrs.PutStr(semconv.ForecastMethod, string(r.Method))
	attrs.PutInt(semconv.ForecastHorizonDays, int64(days))
}

// StampBudget writes that a budget has been, or will be, exceeded.
func StampBudget(span ptrace.Span, name, agent string, r *forecast.BudgetReport, at time.Time) {
	attrs := addEvent(span, semconv.EventBudgetExceeded, at)
	attrs.PutStr(semconv.BudgetName, name)
	if agent != "" {
		attrs.PutStr(semconv.AgentLensAgentName, agent)
	}
	attrs.PutStr(semconv.BudgetPeriod, string(r.Period))
	attrs.PutDouble(semconv.BudgetLimit, r.BudgetUSD)
	attrs.PutDouble(semconv.BudgetSpent, r.SpentUSD)
	attrs.PutDouble(semconv.BudgetProjected, r.ProjectedUSD)
	if r.ExhaustionDate.OK {
		attrs.PutStr(semconv.BudgetExhaustionDate, r.ExhaustionDate.V.String())
	}
	attrs.PutStr(semconv.BudgetMessage, r.Message)
}

func addEvent(span ptrace.Span, name string, at time.Time) pcommon.Map {
	event := span.Events().AppendEmpty()
	event.SetName(name)
	event.SetTimestamp(pcommon.NewTimestampFromTime(at))
	return event.Attributes()
}
