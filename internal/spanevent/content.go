package spanevent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// ContentConfig says what becomes of prompts, messages, tool arguments and
// tool results. In YAML it is the mode alone, or an object.
type ContentConfig struct {
	// Mode is keep (the default), truncate(n) to the first n characters, hash
	// or drop.
	Mode string `mapstructure:"mode"`
	// Redact replaces what matches, before the mode is applied. Content that
	// cannot be redacted is dropped.
	Redact []Redaction `mapstructure:"redact"`
}

// Redaction replaces text.
type Redaction struct {
	// Pattern is a regular expression in RE2 syntax.
	Pattern string `mapstructure:"pattern"`
	// Replacement may refer to groups as $1; empty = [REDACTED].
	Replacement string `mapstructure:"replacement"`
}

const defaultReplacement = "[REDACTED]"

// UnmarshalText lets the mode stand alone.
func (c *ContentConfig) UnmarshalText(text []byte) error {
	c.Mode = string(text)
	return nil
}

// Validate returns an *analysis.FieldError for each setting that cannot be.
func (c *ContentConfig) Validate() error {
	_, err := NewContentPolicy(c)
	return err
}

// ContentPolicy applies a ContentConfig to spans. It is safe for concurrent
// use.
type ContentPolicy struct {
	mode   contentMode
	max    int
	redact []redaction
}

type contentMode uint8

const (
	contentKeep contentMode = iota
	contentTruncate
	contentHash
	contentDrop
)

type redaction struct {
	pattern     *regexp.Regexp
	replacement string
}

// NewContentPolicy compiles a configuration. The error is that of Validate.
func NewContentPolicy(c *ContentConfig) (*ContentPolicy, error) {
	p := &ContentPolicy{}
	var errs []error
	switch mode, n, counted := parseMode(c.Mode); {
	case mode == "" || mode == "keep" && !counted:
	case mode == "hash" && !counted:
		p.mode = contentHash
	case mode == "drop" && !counted:
		p.mode = contentDrop
	case mode == "truncate" && counted && n > 0:
		p.mode, p.max = contentTruncate, n
	default:
		errs = append(errs, &analysis.FieldError{Field: "mode", Value: strconv.Quote(c.Mode), Want: "keep, truncate(n) with n more than 0, hash or drop"})
	}
	for i, r := range c.Redact {
		field := fmt.Sprintf("redact::%d::pattern", i)
		if r.Pattern == "" {
			errs = append(errs, &analysis.FieldError{Field: field, Value: `""`, Want: "a regular expression"})
			continue
		}
		pattern, err := regexp.Compile(r.Pattern)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
			continue
		}
		p.redact = append(p.redact, redaction{pattern, firstOf(r.Replacement, defaultReplacement)})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

// parseMode splits "truncate(200)" into its word and its number.
func parseMode(s string) (mode string, n int, counted bool) {
	mode, rest, ok := strings.Cut(strings.TrimSpace(s), "(")
	if !ok {
		return mode, 0, false
	}
	digits, closed := strings.CutSuffix(rest, ")")
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil || !closed {
		return s, 0, true
	}
	return strings.TrimSpace(mode), n, true
}

// Changes reports whether the policy changes anything.
func (p *ContentPolicy) Changes() bool { return p.mode != contentKeep || len(p.redact) > 0 }

// Apply rewrites the content on a span and on its events, in the keys of every
// dialect. Keys that other conventions use for other things, such as "input",
// are content only on a GenAI span. Redactions go for error messages too, which
// quote content; the mode does not.
func (p *ContentPolicy) Apply(span ptrace.Span, genAI bool) {
	if !p.Changes() {
		return
	}
	p.applyTo(span.Attributes(), func(key string) bool { return isContent(key, genAI) })
	for _, event := range span.Events().All() {
		if messageEvents[event.Name()] {
			p.applyTo(event.Attributes(), func(key string) bool { return !messageFacts[key] })
		} else {
			p.applyTo(event.Attributes(), func(key string) bool { return isContent(key, genAI) })
		}
	}
	if genAI && len(p.redact) > 0 {
		p.redactErrors(span)
	}
}

// messageEvents carry nothing but content, but for messageFacts.
var (
	messageEvents = map[string]bool{
		"gen_ai.system.message": true, "gen_ai.user.message": true, "gen_ai.assistant.message": true, "gen_ai.tool.message": true,
		"gen_ai.choice": true, "gen_ai.content.prompt": true, "gen_ai.content.completion": true,
	}
	messageFacts = map[string]bool{"role": true, "id": true, "finish_reason": true, "index": true, "gen_ai.system": true}
)

func (p *ContentPolicy) redactErrors(span ptrace.Span) {
	if m, err := p.redacted(span.Status().Message()); err != nil {
		span.Status().SetMessage("")
	} else {
		span.Status().SetMessage(m)
	}
	isError := func(key string) bool {
		return strings.HasPrefix(key, "exception.") || key == "error.message" || key == "error" || strings.HasSuffix(key, "status_message")
	}
	redactOnly := &ContentPolicy{redact: p.redact}
	redactOnly.applyTo(span.Attributes(), isError)
	for _, event := range span.Events().All() {
		redactOnly.applyTo(event.Attributes(), isError)
	}
}

// applyTo rewrites the values that are content; what cannot be redacted goes.
func (p *ContentPolicy) applyTo(attrs pcommon.Map, content func(key string) bool) {
	attrs.RemoveIf(func(key string, v pcommon.Value) bool {
		switch v.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
			return content(key) && !p.keep(v)
		default:
			return false
		}
	})
}

// keep rewrites a value and reports whether it is to stay.
func (p *ContentPolicy) keep(v pcommon.Value) (ok bool) {
	if p.mode == contentDrop {
		return false
	}
	if p.redactValue(v, 0) != nil {
		return false
	}
	switch p.mode {
	case contentHash:
		sum := sha256.Sum256([]byte(v.AsString()))
		v.SetStr("sha256:" + hex.EncodeToString(sum[:]))
	case contentTruncate:
		if v.Type() == pcommon.ValueTypeStr {
			v.SetStr(truncated(v.Str(), p.max))
		} else if s := v.AsString(); len(s) > p.max {
			v.SetStr(truncated(s, p.max))
		}
	}
	return true
}

// maxContentDepth is as deep as structured content can be to be redacted.
const maxContentDepth = 64

var errNotRedactable = errors.New("this value cannot be redacted")

func (p *ContentPolicy) redactValue(v pcommon.Value, depth int) error {
	if len(p.redact) == 0 {
		return nil
	}
	if depth > maxContentDepth {
		return errNotRedactable
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		s, err := p.redacted(v.Str())
		if err != nil {
			return err
		}
		v.SetStr(s)
	case pcommon.ValueTypeMap:
		for key, item := range v.Map().All() {
			// A key is not rewritten, so it must not hold what is to go.
			if s, err := p.redacted(key); err != nil || s != key {
				return errNotRedactable
			}
			if err := p.redactValue(item, depth+1); err != nil {
				return err
			}
		}
	case pcommon.ValueTypeSlice:
		for _, item := range v.Slice().All() {
			if err := p.redactValue(item, depth+1); err != nil {
				return err
			}
		}
	case pcommon.ValueTypeBytes:
		return errNotRedactable
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		if s, err := p.redacted(v.AsString()); err != nil || s != v.AsString() {
			return errNotRedactable
		}
	}
	return nil
}

// redacted fails when text still matches after the replacement was made, as
// when a replacement quotes what it replaces.
func (p *ContentPolicy) redacted(s string) (string, error) {
	for _, r := range p.redact {
		if !r.pattern.MatchString(s) {
			continue
		}
		s = r.pattern.ReplaceAllString(s, r.replacement)
		if rest := strings.ReplaceAll(s, r.replacement, ""); r.pattern.MatchString(rest) && r.pattern.MatchString(s) {
			return "", errNotRedactable
		}
	}
	return s, nil
}

// truncated shortens s to n characters.
func truncated(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}
