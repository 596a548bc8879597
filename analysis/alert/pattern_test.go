package alert

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatternKnowsWhereToLook(t *testing.T) {
	for expr, want := range map[string]struct {
		need        string
		left, right int
	}{
		`\b\d{3}-\d{2}-\d{4}\b`:  {"-", 3, 7},
		`secret`:                 {"secret", 0, 0},
		`^(api|x)_key=([a-z]+)`:  {"_key=", 0, 1},
		`a.*password: \w{1,8}`:   {"password: ", 0, 1},
		`(user (\w)) says (?i)h`: {"user ", 0, 7},
		`sk-[a-zA-Z0-9]{20,}`:    {"sk-", 0, 20},
		`x[0-9a-f]{1000}`:        {"x", 0, maxPlaces},
		`(ab){2}-é`:              {"-é", 4, 0},
		`-(ab?c)*`:               {"-", 0, 0},
		`-(?:[a-c]x){2,3}y`:      {"-", 0, 4},
		`(?i)secret`:             {},
		`\d+|x`:                  {},
		`(abc)?`:                 {},
		"[a-z]\uFFFD":            {},
	} {
		p, err := compilePattern(expr)
		require.NoError(t, err)
		assert.Equal(t, want.need, string(p.need), expr)
		assert.Len(t, p.left, want.left, expr)
		assert.Len(t, p.right, want.right, expr)
	}
	_, err := compilePattern(`(`)
	assert.Error(t, err)
}

var patternSamples = []string{
	`\b\d{3}-\d{2}-\d{4}\b`, `secret`, `^a-b`, `a-b$`, `\Ab-`, `-\z`, `(?m)^-a$`, `\B-\B`, `b-\b`, `(a|bb)-(b?)a`, `a-.{0,3}-b`, `é-\d`, `[^a]-[^b]`, `(?s).-.`, `--`, `a{2}-{2}`,
	`-a*b`, `a+-b`, `(?i)a-B`, `(-)?a`, `\x{FFFD}-`, `[\x{FFFD}é]-`, `(a-b|b-a)`, ``,
	`(ab){2}-`, `-(ba){2}`, `-(a|b){2}`, `[1-3]{2,3}-[4-7]+`, `(?:a[ab]){2,3}-`, `-(?:ab*){2}`, `a\b-`, `-(?:b\b)+`, `[a-zé]-`, `-[^\x00-\x7f]`, `b*-a?b`, `-(?:a{0,2}){3}b`,
}

// checkPattern compares a pattern with the regular expression itself.
func checkPattern(t *testing.T, expr, text string) {
	t.Helper()
	p, err := compilePattern(expr)
	if err != nil {
		return
	}
	if want := regexp.MustCompile(expr).MatchString(text); want != p.Match([]byte(text)) || want != p.MatchString(text) {
		t.Fatalf("%q in %q: the regular expression says %v", expr, text, want)
	}
}

func TestPatternsMatchAsRegularExpressions(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	pieces := []string{"-", "--", "a", "b", "bb", "1", "123", "12", "4567", " ", "\n", "é", "\xc3", "\xff", "\uFFFD", "secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
	matched := 0
	for range 1000 {
		var text strings.Builder
		for range r.IntN(14) {
			text.WriteString(pieces[r.IntN(len(pieces))])
		}
		for _, expr := range patternSamples {
			checkPattern(t, expr, text.String())
			if regexp.MustCompile(expr).MatchString(text.String()) {
				matched++
			}
		}
	}
	assert.Greater(t, matched, 1000)
	assert.Less(t, matched, 1000*len(patternSamples)-1000)
	checkPattern(t, `(?:ab)+-`, "ab-")
	checkPattern(t, `-(?:ab*){0,2}b`, "-b")
	checkPattern(t, patternSamples[0], strings.Repeat("x-", 1000)+" 123-45-6789")
	checkPattern(t, patternSamples[0], strings.Repeat("-", 1000)+"123-45-67890")
}

func FuzzPattern(f *testing.F) {
	for _, expr := range patternSamples {
		f.Add(expr, "a-b 123-45-6789 é-1 \xff- secret\n-a\n")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(expr) < 100 {
			checkPattern(t, expr, text)
		}
	})
}

// A long output without a match, with some of what the pattern looks for.
func BenchmarkPattern(b *testing.B) {
	text := []byte(strings.Repeat("The order A-7731 of 2026-05-14 was not found, please see the well-known policy below. ", 120))
	p, err := compilePattern(patternSamples[0])
	require.NoError(b, err)
	for name, match := range map[string]func([]byte) bool{"pattern": p.Match, "regexp": p.Regexp.Match} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				match(text)
			}
		})
	}
}
