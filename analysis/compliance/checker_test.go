package compliance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

func checkOne(t *testing.T, r Rule, s *analysis.Summary, opts ...Option) Result {
	t.Helper()
	c, err := NewChecker(&Policy{Name: "p", Rules: []Rule{r}}, opts...)
	require.NoError(t, err)
	return c.Check(s).Results[0]
}

func summaryUsing(models, tools []string) *analysis.Summary {
	s := analysis.NewSummary("s1", "agent")
	for _, m := range models {
		s.Observe(&analysis.Event{Type: analysis.EventLLMCall, Model: m})
	}
	for _, tool := range tools {
		s.Observe(&analysis.Event{Type: analysis.EventToolCall, ToolCall: &analysis.ToolCall{Name: tool}})
	}
	return s
}

func TestCustom(t *testing.T) {
	s := analysis.NewSummary("s1", "agent")
	rule := Rule{Kind: Custom, Name: "mine"}
	for _, c := range []struct {
		name    string
		check   CustomFunc
		verdict Verdict
		message string
	}{
		{"pass", func(got *analysis.Summary) (bool, string) { return got == s, "fine" }, Pass, ""},
		{"fail", func(*analysis.Summary) (bool, string) { return false, "too slow" }, Fail, "too slow"},
		{"fail without a word", func(*analysis.Summary) (bool, string) { return false, "" }, Fail, "refused by mine"},
		{"panic", func(*analysis.Summary) (bool, string) { panic("boom") }, Fail, "the function panicked: boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := checkOne(t, rule, s, WithCustom("mine", c.check))
			assert.Equal(t, c.verdict, got.Verdict)
			assert.Equal(t, c.message, got.Message)
		})
	}
	for _, opts := range [][]Option{nil, {WithCustom("other", func(*analysis.Summary) (bool, string) { return true, "" })}, {WithCustom("mine", nil)}} {
		_, err := NewChecker(&Policy{Name: "p", Rules: []Rule{rule}}, opts...)
		var fieldErr *analysis.FieldError
		require.ErrorAs(t, err, &fieldErr)
		assert.Equal(t, "rules[0].name", fieldErr.Field)
	}
}

// A summary that has dropped names cannot vouch for what it does not know.
func TestMoreNamesThanASessionKeeps(t *testing.T) {
	var many []string
	for i := range analysis.MaxNames + 3 {
		many = append(many, fmt.Sprintf("m%04d", i))
	}
	s := summaryUsing(many, many)
	require.Positive(t, s.Models.Other)

	allowed := checkOne(t, Rule{Kind: AllowedModels, Models: many}, s)
	assert.Equal(t, Fail, allowed.Verdict)
	assert.Equal(t, "not allowed: 3 uses have names beyond the 256 that a session keeps", allowed.Message)

	forbidden := checkOne(t, Rule{Kind: ForbiddenTools, Tools: []string{"m0258"}}, s)
	assert.Equal(t, Fail, forbidden.Verdict)
	assert.Equal(t, "cannot tell: 3 uses have names beyond the 256 that a session keeps", forbidden.Message)
	assert.Equal(t, "forbidden: m0001", checkOne(t, Rule{Kind: ForbiddenModels, Models: []string{"m0001"}}, s).Message)
	assert.Equal(t, Pass, checkOne(t, Rule{Kind: ForbiddenTools, Tools: []string{}}, s).Verdict)

	assert.Equal(t, Pass, checkOne(t, Rule{Kind: RequiredTools, Tools: []string{"M0001"}}, s).Verdict)
	required := checkOne(t, Rule{Kind: RequiredTools, Tools: []string{"m0001", "zip"}}, s)
	assert.Equal(t, "missing: zip; 3 uses have names beyond the 256 that a session keeps", required.Message)
}

func TestMessages(t *testing.T) {
	s := summaryUsing([]string{"GPT-4o", "gpt-4o"}, []string{"rm", "Search"})
	s.TokensIn = 1200
	for _, c := range []struct {
		rule    Rule
		message string
	}{
		{Rule{Kind: MaxTokens, Limit: new(1000.0)}, "1200 tokens, at most 1000 allowed"},
		{Rule{Kind: MinEvents, Limit: new(5.0)}, "4 events, at least 5 required"},
		{Rule{Kind: RequireReasoning}, "0 of the llm_call and decision events have reasoning, at least 1 required"},
		{Rule{Kind: MaxDurationMS, Limit: new(5.0)}, "the session has not ended"},
		{Rule{Kind: ForbiddenTools, Tools: []string{"RM", "search", "zip"}}, "forbidden: rm, search"},
		{Rule{Kind: AllowedModels, Models: []string{}}, "not allowed: gpt-4o"},
		{Rule{Kind: AllowedModels, Models: []string{"GPT-4O"}}, ""},
	} {
		assert.Equal(t, c.message, checkOne(t, c.rule, s).Message, c.rule.Kind)
	}
}

func TestReportRoundTrip(t *testing.T) {
	s := summaryUsing([]string{"gpt-4o"}, []string{"rm"})
	s.StartedAt = time.Date(2026, 2, 14, 10, 30, 0, 0, time.UTC)
	s.EndedAt = s.StartedAt.Add(1500 * time.Microsecond)
	policy := Strict()
	policy.Rules = append(policy.Rules, Rule{Kind: AllowedModels, Models: []string{"gpt-4o"}}, Rule{Kind: MinTokens, Limit: new(7.0), Severity: SeverityWarning})
	c, err := NewChecker(policy)
	require.NoError(t, err)
	report := c.Check(s)
	text, err := report.JSON()
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, *report, again)

	assert.Equal(t, `Compliance: NOT COMPLIANT (policy strict, session s1, agent agent)
6 of 9 rules passed, 3 failed (2 errors, 1 warnings), 0 skipped

VERDICT  RULE               SEVERITY  ACTUAL  EXPECTED  WHY
pass     max_tokens         error     0       50000
pass     max_events         error     2       200
pass     max_tool_calls     error     1       50
pass     max_duration_ms    error     1.5     300000
pass     max_error_rate     error     0       0.05
fail     forbidden_tools    error     rm      -         forbidden: rm
fail     require_reasoning  error     0       1         0 of the llm_call and decision events have reasoning, at least 1 required
pass     allowed_models     error     gpt-4o  gpt-4o
fail     min_tokens         warning   0       7         0 tokens, at least 7 required
`, report.Render())
}

func TestPresets(t *testing.T) {
	quiet := analysis.NewSummary("s", "a")
	runaway := analysis.NewSummary("s", "a")
	runaway.TokensIn = 2_000_000
	for _, policy := range []*Policy{Strict(), Permissive()} {
		c, err := NewChecker(policy)
		require.NoError(t, err)
		assert.True(t, c.Check(quiet).Compliant, policy.Name)
		assert.False(t, c.Check(runaway).Compliant, policy.Name)
	}
}

// A verdict is monotone in its bound: what passes under a limit passes under
// every wider one.
func TestWiderBoundsPassMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := analysis.NewSummary("s", "a")
		s.TokensIn = rapid.Int64Range(0, 100).Draw(t, "tokens")
		limit := float64(rapid.IntRange(0, 100).Draw(t, "limit"))
		wider := limit + float64(rapid.IntRange(0, 100).Draw(t, "more"))
		c, err := NewChecker(&Policy{Name: "p", Rules: []Rule{
			{Kind: MaxTokens, Limit: &limit},
			{Kind: MaxTokens, Limit: &wider},
			{Kind: MinTokens, Limit: &wider},
			{Kind: MinTokens, Limit: &limit},
		}})
		require.NoError(t, err)
		r := c.Check(s).Results
		if r[0].Verdict == Pass {
			require.Equal(t, Pass, r[1].Verdict)
		}
		if r[2].Verdict == Pass {
			require.Equal(t, Pass, r[3].Verdict)
		}
		require.Equal(t, s.Tokens() <= int64(limit), r[0].Verdict == Pass)
		require.Equal(t, s.Tokens() >= int64(limit), r[3].Verdict == Pass)
	})
}

func TestConcurrentChecks(t *testing.T) {
	c, err := NewChecker(Strict())
	require.NoError(t, err)
	s := summaryUsing([]string{"gpt-4o"}, []string{"rm", "Search"})
	want := c.Check(s)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				assert.Equal(t, want, c.Check(s))
			}
		})
	}
	wg.Wait()
}

// The documentation's policy of eight rules, all of which pass.
func BenchmarkCheckEightRules(b *testing.B) {
	c, err := NewChecker(&Policy{Name: "production-policy", Rules: []Rule{
		{Kind: MaxTokens, Limit: new(50000.0)},
		{Kind: ForbiddenTools, Tools: []string{"execute_code", "rm"}},
		{Kind: AllowedModels, Models: []string{"gpt-4o", "claude-3.5-sonnet"}},
		{Kind: MaxEvents, Limit: new(200.0)},
		{Kind: MaxDurationMS, Limit: new(300000.0)},
		{Kind: RequiredTools, Tools: []string{"safety_check"}},
		{Kind: MaxErrorRate, Limit: new(0.05)},
		{Kind: RequireReasoning, Threshold: new(0.0)},
	}})
	require.NoError(b, err)
	for _, bench := range []struct {
		name    string
		summary *analysis.Summary
	}{
		{"pass", summaryUsing([]string{"gpt-4o", "claude-3.5-sonnet"}, []string{"safety_check", "web_search", "db_query"})},
		{"four fail", func() *analysis.Summary {
			s := summaryUsing([]string{"gpt-4o", "llama-3"}, []string{"rm", "web_search"})
			s.TokensIn = 60_000
			return s
		}()},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bench.summary.StartedAt = time.Unix(1_780_000_000, 0)
			bench.summary.EndedAt = bench.summary.StartedAt.Add(time.Minute)
			b.ReportAllocs()
			for b.Loop() {
				c.Check(bench.summary)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Msummaries/s")
		})
		b.Run(bench.name+", verdicts", func(b *testing.B) {
			var report Report
			b.ReportAllocs()
			for b.Loop() {
				c.Verdicts(&report, bench.summary)
			}
		})
	}
}

// The verdicts of a session, in memory used before, are those of its check, and
// so are the numbers.
func TestVerdictsAreThoseOfCheck(t *testing.T) {
	names := []string{"a", "B", "b", "c"}
	ruleGen := rapid.Custom(func(t *rapid.T) Rule {
		r := Rule{Kind: rapid.SampledFrom(Kinds()).Draw(t, "kind"), Severity: rapid.SampledFrom([]Severity{"", SeverityWarning}).Draw(t, "severity")}
		takes, _ := parametersOf(r.Kind)
		if takes.limit != "" {
			r.Limit = new(float64(rapid.IntRange(0, 3).Draw(t, "limit")))
			if takes.limit == share {
				*r.Limit /= 3
			}
		}
		list := rapid.SliceOfN(rapid.SampledFrom(names), 0, 2).Draw(t, "list")
		switch {
		case takes.models:
			r.Models = list
		case takes.tools:
			r.Tools = list
		case r.Kind == Custom:
			r.Name = "odd"
		}
		return r
	})
	odd := WithCustom("odd", func(s *analysis.Summary) (bool, string) { return s.Events%2 == 1, "" })
	drawSummary := func(t *rapid.T) *analysis.Summary {
		s := summaryUsing(rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(t, "models"), rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(t, "tools"))
		s.Models.Other, s.Tools.Other = int64(rapid.IntRange(0, 1).Draw(t, "other models")), int64(rapid.IntRange(0, 1).Draw(t, "other tools"))
		s.TokensIn = rapid.Int64Range(0, 3).Draw(t, "tokens")
		return s
	}
	said := map[Verdict]int{}
	rapid.Check(t, func(t *rapid.T) {
		report := Report{Results: []Result{}}
		for range 3 {
			c, err := NewChecker(&Policy{Name: "p", Rules: rapid.SliceOfN(ruleGen, 0, 4).Draw(t, "rules")}, odd)
			require.NoError(t, err)
			s := drawSummary(t)
			want := c.Check(s)
			for i := range want.Results {
				r := &want.Results[i]
				said[r.Verdict]++
				for _, v := range [...]*Value{&r.Actual, &r.Expected} {
					if _, isNames := v.Names(); isNames {
						*v = Value{}
					}
				}
			}
			c.Verdicts(&report, s)
			require.Equal(t, want, &report)
		}
	})
	require.Positive(t, min(said[Pass], said[Fail], said[Skip]), said)
}

// What passes allocates nothing.
func TestVerdictsAllocations(t *testing.T) {
	c, err := NewChecker(&Policy{Name: "p", Rules: []Rule{
		{Kind: MaxTokens, Limit: new(10.0)}, {Kind: ForbiddenTools, Tools: []string{"rm"}}, {Kind: AllowedModels, Models: []string{"gpt-4o"}}, {Kind: MinEvents, Limit: new(5.0)},
	}})
	require.NoError(t, err)
	s := summaryUsing([]string{"gpt-4o"}, []string{"search"})
	var report Report
	c.Verdicts(&report, s)
	assert.Equal(t, "2 events, at least 5 required", report.Results[3].Message)
	assert.EqualValues(t, 1, testing.AllocsPerRun(100, func() { c.Verdicts(&report, s) }), "the one that fails")
}

// A checker gives of a share the reason that one gives who has seen no session
// before.
func TestReasonsOfShares(t *testing.T) {
	third := 1.0 / 3
	policy := &Policy{Name: "p", Rules: []Rule{{Kind: MaxErrorRate, Limit: &third}, {Kind: RequireReasoning}, {Kind: MaxErrorRate, Limit: new(0.5)}}}
	used, err := NewChecker(policy)
	require.NoError(t, err)
	reasons := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 5 {
			n := rapid.Int64Range(1, 4)
			s := &analysis.Summary{Events: n.Draw(t, "events"), Decisions: n.Draw(t, "decisions")}
			s.Errors, s.Reasoned = rapid.Int64Range(0, s.Events).Draw(t, "errors"), rapid.Int64Range(0, s.Decisions).Draw(t, "reasoned")
			fresh, err := NewChecker(policy)
			require.NoError(t, err)
			want := fresh.Check(s)
			require.Equal(t, want, used.Check(s))
			for i := range want.Results {
				reasons[want.Results[i].Message]++
			}
		}
	})
	require.Greater(t, len(reasons), 5)
	s := &analysis.Summary{Events: 2, Errors: 2, Decisions: 2}
	var report Report
	assert.Zero(t, testing.AllocsPerRun(100, func() { used.Verdicts(&report, s) }), "the reasons are those of the time before")
}

// A name is looked for in lower case, whatever script it is in and however many
// there are.
func TestNamesAreFoundInLowerCase(t *testing.T) {
	names := []string{
		"", "rm", "RM", "Rm", "r", "rmx", "rn", "\u212am", "km", "KM", "\u0130m", "i\u0307m", "im", "\u017fm", "sm", "Äm", "äm", "[m", "{m", "@m", "`m",
		"A", "Az", "aZ", "az", "b", "c", "d", "e", "f", "g",
	}
	rapid.Check(t, func(t *rapid.T) {
		list := lowered(rapid.SliceOfN(rapid.SampledFrom(names), 0, 20).Draw(t, "list"))
		for _, name := range names {
			require.Equal(t, slices.Contains(list, strings.ToLower(name)), has(list, name), name)
		}
	})
}
