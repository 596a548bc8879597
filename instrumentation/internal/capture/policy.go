package capture

import (
	"context"
	"fmt"
	"slices"
)

// Policy says what is captured of content, and how.
type Policy struct {
	Mode Mode
	// Redactors see content in their order.
	Redactors []Redactor
	// MaxBytes bounds one piece of content; 0 is no bound.
	MaxBytes int
	// Failed is told of content that was dropped, as a redactor failed on it; it
	// may be nil.
	Failed func(error)
}

// Redact returns what the redactors leave of a text. An error says that it must
// not be captured: one of them failed or panicked.
func (p *Policy) Redact(attribute, key, s string) (_ string, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The value stays out: it may hold the content.
			err = fmt.Errorf("a redactor panicked on %s with a %T", attribute, r)
		}
	}()
	for _, redactor := range p.Redactors {
		if s, err = redactor(Content{Attribute: attribute, Key: key, Text: s}); err != nil {
			return "", fmt.Errorf("a redactor failed on %s: %T", attribute, err)
		}
	}
	return s, nil
}

// In returns the policy for what is captured in ctx by someone who has p. What
// p says of mode wins over the session of ctx, which wins over otherwise; the
// redactors of both see the content, those of the session first; the smaller
// bound holds.
func (p Policy) In(ctx context.Context, otherwise Mode) Policy {
	session, ok := FromContext(ctx)
	switch {
	case p.Mode > Full:
		p.Mode = None // There is no such mode.
	case p.Mode != Unset:
	case ok && session.Mode != Unset:
		p.Mode = session.Mode
	default:
		p.Mode = otherwise
	}
	if !ok {
		return p
	}
	if len(session.Redactors) > 0 {
		p.Redactors = slices.Concat(session.Redactors, p.Redactors)
	}
	if session.MaxBytes > 0 && (p.MaxBytes == 0 || session.MaxBytes < p.MaxBytes) {
		p.MaxBytes = session.MaxBytes
	}
	if p.Failed == nil {
		p.Failed = session.Failed
	}
	return p
}

// Fail tells that content was dropped because of err.
func (p *Policy) Fail(err error) {
	if p.Failed != nil {
		p.Failed(err)
	}
}

// Key is the context key of a Holder, which is a session of agentlens.
type Key struct{}

// Holder is what a context of a session holds.
type Holder interface {
	// CapturePolicy returns the policy that holds in ctx, which the holder is of.
	CapturePolicy(ctx context.Context) Policy
}

// FromContext returns the policy of the session that ctx holds, and whether it
// holds one.
func FromContext(ctx context.Context) (Policy, bool) {
	h, ok := ctx.Value(Key{}).(Holder)
	if !ok {
		return Policy{}, false
	}
	return h.CapturePolicy(ctx), true
}
