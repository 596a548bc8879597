// Package finding reads the annotations with which the collector says what its
// engines found.
//
// The exporter signs them and begins each text with the engine: that is the
// wire's contract, and all that the original backend can hold. The package
// imports the standard library only; its callers are backend and backend/web.
package finding

import (
	"strconv"
	"strings"
)

// Author signs the annotations that are findings.
const Author = "agentlens"

// Kind is the engine that found something.
type Kind string

// The kinds. Note is an annotation that is no finding: a person's.
const (
	Compliance Kind = "compliance"
	Alert      Kind = "alert"
	Drift      Kind = "drift"
	Budget     Kind = "budget"
	Forecast   Kind = "forecast"
	Note       Kind = "note"
)

// Finding is what a text says.
type Finding struct {
	Kind Kind `json:"kind"`
	// Severity is as the engine says: error, warning, critical, info, or a
	// drift's status; empty when it says none.
	Severity string `json:"severity,omitempty"`
	// Policy is that of a compliance finding.
	Policy string `json:"policy,omitempty"`
	// Rule is the rule that failed or fired.
	Rule string `json:"rule,omitempty"`
	// Score is a drift's, 0 to 100.
	Score *float64 `json:"score,omitempty"`
	// Resolved says that an alert or a drift is over.
	Resolved bool `json:"resolved,omitempty"`
	// Message is the rest.
	Message string `json:"message"`
}

// words are how the texts of each kind begin.
var words = []struct {
	kind Kind
	word string
}{{Compliance, "Compliance"}, {Alert, "Alert"}, {Drift, "Drift"}, {Budget, "Budget"}, {Forecast, "Forecast"}}

// Prefixes returns how the texts of these kinds begin.
func Prefixes(kinds ...Kind) []string {
	var out []string
	for _, w := range words {
		for _, k := range kinds {
			if w.kind == k {
				out = append(out, w.word)
			}
		}
	}
	return out
}

// Parse reads the text of an annotation by author. What it does not
// understand is in Message, so nothing is lost.
func Parse(author, text string) Finding {
	f := Finding{Kind: Note, Message: text}
	head, rest, ok := strings.Cut(text, ": ")
	if author != Author || !ok {
		return f
	}
	word, severity, _ := strings.Cut(head, " ")
	for _, w := range words {
		if w.word == word {
			f.Kind, f.Message = w.kind, rest
		}
	}
	if f.Kind == Note {
		return f
	}
	if severity == "resolved" {
		f.Resolved = true
	} else {
		f.Severity = strings.Trim(severity, "()")
	}
	switch f.Kind {
	case Compliance:
		f.compliance(rest)
	case Alert:
		f.alert(rest)
	case Drift:
		f.drift(rest)
	case Budget:
		f.budget(rest)
	}
	return f
}

// drift reads "significant_drift, score 57.32 of 100. what changed".
func (f *Finding) drift(rest string) {
	if status, why, ok := strings.Cut(rest, ", "); ok && f.Severity == "" && !strings.Contains(status, " ") {
		// A status of stable says that the drift is over.
		f.Severity, f.Message, f.Resolved = status, why, status == "stable"
		number, _, _ := strings.Cut(strings.TrimPrefix(why, "score "), " ")
		if score, err := strconv.ParseFloat(number, 64); err == nil {
			f.Score = &score
		}
	}
}

// budget reads "team (monthly, 500 USD): how it stands".
func (f *Finding) budget(rest string) {
	head, why, ok := strings.Cut(rest, "): ")
	name, terms, open := strings.Cut(head, " (")
	if ok && open {
		f.Rule, f.Message = "Budget "+name, terms+": "+why
	}
}

// compliance reads "policy P, rule R failed: why".
func (f *Finding) compliance(rest string) {
	what, why, ok := strings.Cut(rest, " failed: ")
	if !ok {
		return
	}
	policy, ok := strings.CutPrefix(what, "policy ")
	if !ok {
		return
	}
	if i := strings.LastIndex(policy, ", rule "); i >= 0 {
		f.Policy, f.Rule, f.Message = policy[:i], policy[i+len(", rule "):], why
	}
}

// alert reads "rule R: why" and "rule R fired: why".
func (f *Finding) alert(rest string) {
	rule, why, _ := strings.Cut(rest, ": ")
	rule = strings.TrimPrefix(rule, "rule ")
	for _, verb := range [...]string{" fired", " resolved"} {
		rule = strings.TrimSuffix(rule, verb)
	}
	f.Rule, f.Message = rule, why
}
