package finding

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Finding{
		"Compliance (error): policy production-policy, rule max_tokens failed: 60000 tokens, at most 50000": {
			Kind: Compliance, Severity: "error", Policy: "production-policy", Rule: "max_tokens", Message: "60000 tokens, at most 50000",
		},
		"Compliance (warning): policy a, rule b, rule custom failed: it failed: twice": {
			Kind: Compliance, Severity: "warning", Policy: "a, rule b", Rule: "custom", Message: "it failed: twice",
		},
		"Alert (critical): rule Error spike: 6 events: too many": {Kind: Alert, Severity: "critical", Rule: "Error spike", Message: "6 events: too many"},
		"Alert (warning): rule High cost fired: 3 > 2":           {Kind: Alert, Severity: "warning", Rule: "High cost", Message: "3 > 2"},
		"Alert resolved: rule Error spike":                       {Kind: Alert, Resolved: true, Rule: "Error spike"},
		"Drift: significant_drift, score 57.32 of 100. total_tokens rose.": {
			Kind: Drift, Severity: "significant_drift", Score: score(57.32), Message: "score 57.32 of 100. total_tokens rose.",
		},
		"Drift: stable, score 3 of 100. Nothing changed.": {Kind: Drift, Severity: "stable", Score: score(3), Resolved: true, Message: "score 3 of 100. Nothing changed."},
		"Forecast: a is expected to cost 3 USD":           {Kind: Forecast, Message: "a is expected to cost 3 USD"},
		"Budget: team (monthly, 500 USD): spent":          {Kind: Budget, Rule: "Budget team", Message: "monthly, 500 USD: spent"},
		"Drift: token_usage went up":                      {Kind: Drift, Message: "token_usage went up"},
		"Budget (critical): over by $3":                   {Kind: Budget, Severity: "critical", Message: "over by $3"},
		"Compliance (error): something else":              {Kind: Compliance, Severity: "error", Message: "something else"},
		"nothing of ours":                                 {Kind: Note, Message: "nothing of ours"},
		"Alerting: no":                                    {Kind: Note, Message: "Alerting: no"},
		"":                                                {Kind: Note},
	} {
		require.Equal(t, want, Parse(Author, text), text)
	}
	require.Equal(t, Note, Parse("Mallory", "Alert (critical): rule x: y").Kind, "only the collector finds")
	require.Equal(t, []string{"Alert", "Budget"}, Prefixes(Alert, Budget))
}

func FuzzParse(f *testing.F) {
	f.Add("Compliance (error): policy p, rule r failed: m")
	f.Add("Alert (: rule : ")
	f.Fuzz(func(t *testing.T, text string) {
		got := Parse(Author, text)
		require.NotEmpty(t, got.Kind)
		require.LessOrEqual(t, len(got.Message), len(text))
	})
}

func score(v float64) *float64 { return &v }
