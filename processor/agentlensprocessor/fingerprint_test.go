package agentlensprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// Sessions and reports that say the same have the same fingerprint, and another
// as soon as one thing is another, or said elsewhere.
func TestFingerprint(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x01a"})
	report := rapid.Custom(func(t *rapid.T) *compliance.Report {
		r := &compliance.Report{Policy: text.Draw(t, "policy")}
		for range rapid.IntRange(0, 2).Draw(t, "results") {
			r.Results = append(r.Results, compliance.Result{
				Kind: compliance.Kind(text.Draw(t, "kind")), Verdict: compliance.Verdict(text.Draw(t, "verdict")), Message: text.Draw(t, "message"),
			})
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(report, 1, 3).Draw(t, "reports")
		s := analysis.Summary{Events: 1, TokensIn: 2, TokensOut: 3, Errors: 4, CostUSD: analysis.Sum{Hi: 5, Lo: 6}}
		before := fingerprint(&s, reports)
		require.Equal(t, before, fingerprint(&s, reports))

		var texts []*string
		for _, r := range reports {
			texts = append(texts, &r.Policy)
			for i := range r.Results {
				result := &r.Results[i]
				texts = append(texts, (*string)(&result.Kind), (*string)(&result.Verdict), &result.Message)
			}
		}
		s.CostUSD.Lo++
		require.NotEqual(t, before, fingerprint(&s, reports))
		s.CostUSD.Lo--
		for _, n := range [...]*int64{&s.Events, &s.TokensIn, &s.TokensOut, &s.Errors, &s.CostUSD.Hi} {
			*n++
			require.NotEqual(t, before, fingerprint(&s, reports))
			*n--
		}
		for i, text := range texts {
			was, next := *text, texts[(i+1)%len(texts)]
			*text += "c"
			require.NotEqual(t, before, fingerprint(&s, reports))
			if *text = was; was == "" || text == next {
				continue
			}
			follows, last := *next, len(was)-1
			*text, *next = was[:last], was[last:]+follows
			require.NotEqual(t, before, fingerprint(&s, reports))
			*text, *next = was, follows
		}
	})
	var s analysis.Summary
	require.NotEqual(t,
		fingerprint(&s, []*compliance.Report{{Policy: "a", Results: []compliance.Result{{Kind: "b", Verdict: "c", Message: "d"}}}}),
		fingerprint(&s, []*compliance.Report{{Policy: "a"}, {Policy: "b"}, {Policy: "c"}, {Policy: "d"}}))
}
