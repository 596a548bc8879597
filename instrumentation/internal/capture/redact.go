package capture

import (
	"regexp"
	"strings"
)

// Content is one string, number or object key within captured content.
type Content struct {
	// Attribute is the key of the attribute that the content goes into, such as
	// "gen_ai.input.messages".
	Attribute string
	// Key is that of the innermost object member which holds the text; empty
	// for an object key and for plain text.
	Key string
	// Text is the string itself, or the digits of a number.
	Text string
}

// Redactor returns what is captured in place of a content's text. An error or a
// panic drops the whole of the attribute's content.
type Redactor = func(Content) (string, error)

// RedactSecrets is a Redactor for secrets and personal numbers in known forms;
// see that of package agentlens.
func RedactSecrets(c Content) (string, error) {
	if c.Text != "" && secretKey.MatchString(c.Key) {
		return "[REDACTED:secret]", nil
	}
	s := c.Text
	for i := range secrets {
		p := &secrets[i]
		if !p.could(s) {
			continue
		}
		s = p.redact(s)
	}
	return s, nil
}

var secretKey = regexp.MustCompile(`(?i)^(x[-_])?(pass(word|wd|phrase)?|pwd|secret([-_]?(access)?[-_]?key)?|client[-_]?secret|api[-_]?key|` +
	`(access|auth|refresh|id|session|bearer)?[-_]?token|private[-_]?key|authorization|cookie|credentials?)$`)

// secret is a kind of text that is redacted.
type secret struct {
	kind    string
	pattern *regexp.Regexp
	// hints are texts of which one is in every match: most strings hold none,
	// and need no look at the pattern. Without hints a digit is needed.
	hints []string
	// chars are all the characters of which matches consist: then the pattern is
	// tried only where at least so many of them follow one another. Without, it
	// is tried on the whole text, which takes it a millisecond for some 20 kB.
	chars *charset
	least int
	valid func(string) bool
}

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

var tokenChars = charsOf(letters + digits + "_.-")

var secrets = []secret{
	{kind: "private_key", hints: []string{"PRIVATE KEY"}, pattern: regexp.MustCompile(
		`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)},
	{kind: "jwt", hints: []string{"eyJ"}, chars: tokenChars, least: 21, pattern: regexp.MustCompile(
		`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)},
	{
		kind: "api_key", hints: []string{"sk-", "sk_", "rk_", "AKIA", "ASIA", "gh", "xox", "AIza", "glpat-", "hf_", "npm_", "ya29."},
		chars: tokenChars, least: 15, pattern: regexp.MustCompile(
			`\b(sk-[A-Za-z0-9_-]{16,}|[sr]k_(live|test)_[A-Za-z0-9]{16,}|(AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|` +
				`github_pat_[A-Za-z0-9_]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{16,}|` +
				`hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|ya29\.[A-Za-z0-9_-]{20,})`),
	},
	{kind: "bearer_token", hints: []string{"earer", "EARER"}, pattern: regexp.MustCompile(
		`(?i)\bbearer\s+[A-Za-z0-9._~+/-]{8,}=*`)},
	{kind: "email", hints: []string{"@"}, chars: charsOf(letters + digits + "._%+-@"), least: 6, pattern: regexp.MustCompile(
		`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)},
	{kind: "card", valid: luhn, chars: charsOf(digits + " -"), least: 13, pattern: regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)},
	{kind: "ssn", valid: ssn, chars: charsOf(digits + "-"), least: 11, pattern: regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`)},
}

func (p *secret) could(s string) bool {
	if p.hints == nil {
		return strings.ContainsAny(s, digits)
	}
	for _, hint := range p.hints {
		if strings.Contains(s, hint) {
			return true
		}
	}
	return false
}

// redact replaces what the pattern matches.
func (p *secret) redact(s string) string {
	if p.chars == nil {
		return p.pattern.ReplaceAllStringFunc(s, p.replacement)
	}
	var out strings.Builder
	done := 0
	for to := 0; to < len(s); {
		var from int
		if from, to = p.chars.run(s, to); to-from < p.least || !p.could(s[from:to]) {
			continue
		}
		// With what stands beside it, which decides whether a word begins or ends.
		around := max(from-1, 0)
		for _, at := range p.pattern.FindAllStringIndex(s[around:min(to+1, len(s))], -1) {
			out.WriteString(s[done : around+at[0]])
			done = around + at[1]
			out.WriteString(p.replacement(s[around+at[0] : done]))
		}
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

func (p *secret) replacement(found string) string {
	if p.valid != nil && !p.valid(found) {
		return found
	}
	return "[REDACTED:" + p.kind + "]"
}

// charset is a set of ASCII characters.
type charset [256]bool

func charsOf(s string) *charset {
	var c charset
	for i := range len(s) {
		c[s[i]] = true
	}
	return &c
}

// run returns where, from a byte of s on, characters of the set follow one
// another, and where they end.
func (c *charset) run(s string, at int) (from, to int) {
	for from = at; from < len(s) && !c[s[from]]; from++ {
	}
	for to = from; to < len(s) && c[s[to]]; to++ {
	}
	return from, to
}

// luhn reports whether the last digit is the check digit of a card number.
func luhn(s string) bool {
	sum, second := 0, false
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if second {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		second = !second
	}
	return sum > 0 && sum%10 == 0
}

// ssn reports whether the number can have been issued.
func ssn(s string) bool {
	area, group, serial := s[:3], s[4:6], s[7:]
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000"
}
