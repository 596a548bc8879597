package agentlens

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
// panic drops the whole of the attribute's content, and nothing else; it is
// counted in Stats and named on the span in agentlens.content.dropped. A
// redactor is called from many goroutines.
type Redactor func(Content) (string, error)

// WithRedactor adds redactors, which see content in the order in which they
// were given. They see the strings and numbers within inputs, outputs and
// messages, reasoning, the messages of errors, and session metadata.
func WithRedactor(redactors ...Redactor) Option {
	return option(func(c *config) error {
		for _, r := range redactors {
			if r == nil {
				return &FieldError{Field: "WithRedactor", Value: nil, Want: "a function"}
			}
		}
		c.redactors = append(c.redactors, redactors...)
		return nil
	})
}

// RedactSecrets is a Redactor for what should be in no trace: API keys and
// tokens in the forms their issuers give them, bearer tokens, JSON web tokens,
// private keys, the values of members named like a password or a key, e-mail
// addresses, US social security numbers and payment card numbers that pass the
// Luhn check. Each becomes "[REDACTED:kind]". It finds known forms and no others.
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
		s = p.pattern.ReplaceAllStringFunc(s, func(found string) string {
			if p.valid != nil && !p.valid(found) {
				return found
			}
			return "[REDACTED:" + p.kind + "]"
		})
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
	valid func(string) bool
}

var secrets = []secret{
	{kind: "private_key", hints: []string{"PRIVATE KEY"}, pattern: regexp.MustCompile(
		`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)},
	{kind: "jwt", hints: []string{"eyJ"}, pattern: regexp.MustCompile(
		`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)},
	{
		kind: "api_key", hints: []string{"sk-", "sk_", "rk_", "AKIA", "ASIA", "gh", "xox", "AIza", "glpat-", "hf_", "npm_", "ya29."},
		pattern: regexp.MustCompile(
			`\b(sk-[A-Za-z0-9_-]{16,}|[sr]k_(live|test)_[A-Za-z0-9]{16,}|(AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|` +
				`github_pat_[A-Za-z0-9_]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{16,}|` +
				`hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|ya29\.[A-Za-z0-9_-]{20,})`),
	},
	{kind: "bearer_token", hints: []string{"earer", "EARER"}, pattern: regexp.MustCompile(
		`(?i)\bbearer\s+[A-Za-z0-9._~+/-]{8,}=*`)},
	{kind: "email", hints: []string{"@"}, pattern: regexp.MustCompile(
		`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)},
	{kind: "card", valid: luhn, pattern: regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)},
	{kind: "ssn", valid: ssn, pattern: regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`)},
}

func (p *secret) could(s string) bool {
	if p.hints == nil {
		return strings.ContainsAny(s, "0123456789")
	}
	for _, hint := range p.hints {
		if strings.Contains(s, hint) {
			return true
		}
	}
	return false
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

// redact asks the redactors, in their order.
func (c *contents) redact(attribute, key, s string) (_ string, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The value stays out: it may hold the content.
			err = fmt.Errorf("a redactor panicked on %s with a %T", attribute, r)
		}
	}()
	for _, redactor := range c.redactors {
		if s, err = redactor(Content{Attribute: attribute, Key: key, Text: s}); err != nil {
			return "", fmt.Errorf("a redactor failed on %s: %T", attribute, err)
		}
	}
	return s, nil
}

// redactJSON passes every string, number and object key of the JSON through
// redact, which gets the key of the innermost member too. The order of members
// stays.
func redactJSON(raw []byte, redact func(key, text string) (string, error)) (json.RawMessage, error) {
	w := jsonWriter{redact: redact}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return w.out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := w.write(token); err != nil {
			return nil, err
		}
	}
}

// jsonWriter writes JSON token by token.
type jsonWriter struct {
	redact func(key, text string) (string, error)
	out    bytes.Buffer
	nest   []jsonNest
}

// jsonNest is an object or list that is open.
type jsonNest struct {
	object bool
	n      int    // tokens in it
	key    string // of the member being written
}

func (w *jsonWriter) write(token json.Token) error {
	if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
		w.nest = w.nest[:len(w.nest)-1]
		w.out.WriteByte(byte(d))
		return nil
	}
	key, isKey := w.separate()
	switch v := token.(type) {
	case json.Delim:
		w.out.WriteByte(byte(v))
		w.nest = append(w.nest, jsonNest{object: v == '{', key: key})
	case string:
		s, err := w.redact(key, v)
		if err != nil {
			return err
		}
		if isKey {
			w.nest[len(w.nest)-1].key = v
		}
		return w.text(s)
	case json.Number:
		s, err := w.redact(key, v.String())
		if err != nil {
			return err
		}
		if s != v.String() {
			return w.text(s)
		}
		w.out.WriteString(s)
	case bool:
		fmt.Fprint(&w.out, v)
	default:
		w.out.WriteString("null")
	}
	return nil
}

// separate writes what stands before the next token, and returns the key of the
// member that it is in, and whether it is a key itself.
func (w *jsonWriter) separate() (key string, isKey bool) {
	if len(w.nest) == 0 {
		return "", false
	}
	in := &w.nest[len(w.nest)-1]
	in.n++
	switch {
	case !in.object:
		if in.n > 1 {
			w.out.WriteByte(',')
		}
		return in.key, false
	case in.n%2 == 1:
		if in.n > 1 {
			w.out.WriteByte(',')
		}
		return "", true
	default:
		w.out.WriteByte(':')
		return in.key, false
	}
}

func (w *jsonWriter) text(s string) error {
	enc := json.NewEncoder(&w.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err
	}
	w.out.Truncate(w.out.Len() - 1) // the encoder's newline
	return nil
}
