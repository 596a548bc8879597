package agentlens

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// DefaultMaxContentBytes is how much of one prompt, message list, argument or
// result is kept.
const DefaultMaxContentBytes = 1 << 20

// minContentBytes leaves room for the marker of what was cut.
const minContentBytes = 256

// CaptureMode says how much of the content is captured: of inputs, outputs,
// messages, tool arguments and results, reasoning and its alternatives. Models,
// tools, tokens, times and errors are captured in every mode, and so is that an
// event was reasoned: its reasoning is then NotCaptured, so that a policy which
// requires reasoning finds the same. The middlewares' modes are these.
type CaptureMode = capture.Mode

const (
	captureUnset = capture.Unset
	// CaptureNone captures no content. Data given is not even encoded.
	CaptureNone = capture.None
	// CaptureMetadata captures how much content there was: under the key of the
	// content's attribute with ".bytes" its length in bytes of JSON, and how many
	// alternatives.
	CaptureMetadata = capture.Metadata
	// CaptureFull captures the content, as redactors leave it.
	CaptureFull = capture.Full
)

// NotCaptured stands for reasoning that is not captured.
const NotCaptured = "[not captured]"

// WithCapture says how much content is captured: by a tracker, in a session, or
// of one event or live span and what happens under it; the innermost that says
// so wins, also for the spans of the middlewares in their contexts. The default of a
// tracker is what OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says: full
// for true, SPAN_ONLY and SPAN_AND_EVENT, none for false, NO_CONTENT and
// EVENT_ONLY (no events are written), or one of none, metadata and full. When
// nobody says anything, what is handed over to be recorded is captured in full,
// and what middlewares would take from a call by themselves is not.
func WithCapture(mode CaptureMode) CaptureOption { return CaptureOption{mode} }

// CaptureOption is what WithCapture returns.
type CaptureOption struct{ mode CaptureMode }

func (o CaptureOption) applySession(c *sessionConfig) { c.capture = o.mode }
func (o CaptureOption) applyEvent(c *eventConfig)     { c.capture = o.mode }
func (o CaptureOption) apply(c *config) error {
	c.capture = o.mode
	return checkCapture(o.mode)
}

// WithMaxContentBytes sets how many bytes of JSON or text one piece of content
// keeps. Longer content is replaced by a marker that tells its length and holds
// its beginning. The default is DefaultMaxContentBytes, the least 256.
func WithMaxContentBytes(bytes int) Option {
	return option(func(c *config) error {
		if bytes < minContentBytes {
			return &FieldError{Field: "WithMaxContentBytes", Value: bytes, Want: fmt.Sprintf("%d or more", minContentBytes)}
		}
		c.maxContent = bytes
		return nil
	})
}

// captureFromEnv returns what the environment says; captureUnset when it says
// nothing. Then data that is handed over is captured in full, and what the
// middlewares would take by themselves is not.
func captureFromEnv() (CaptureMode, error) {
	mode, ok := capture.FromEnv()
	if !ok {
		return captureUnset, &FieldError{Field: capture.Env, Value: fmt.Sprintf("%q", os.Getenv(capture.Env)), Want: capture.EnvValues}
	}
	return mode, nil
}

func checkCapture(m CaptureMode) error {
	if m > CaptureFull {
		return &FieldError{Field: "capture", Value: m, Want: "CaptureNone, CaptureMetadata or CaptureFull"}
	}
	return nil
}

// contents captures content as a tracker is told to.
type contents struct {
	policy    capture.Policy // without a mode: sessions and spans have theirs
	dropped   tally
	truncated tally
}

// captured is what was captured beside the content itself.
type captured struct {
	// sizes are the bytes of content by attribute key, in mode metadata.
	sizes []contentSize
	// dropped names the content that a redactor failed on.
	dropped []string
}

type contentSize struct {
	key   string
	bytes int
}

// data captures what a caller gave as the content of an attribute. An error
// says that it has no JSON.
func (c *contents) data(mode CaptureMode, key, field string, v any, to *captured) (json.RawMessage, error) {
	if v == nil || mode == CaptureNone {
		return nil, nil
	}
	raw, err := toJSON(field, v)
	if err != nil || raw == nil {
		return nil, err
	}
	if mode == CaptureMetadata {
		to.sizes = append(to.sizes, contentSize{key, len(raw)})
		return nil, nil
	}
	if len(c.policy.Redactors) > 0 {
		if raw, err = capture.RedactJSON(raw, func(inner, text string) (string, error) { return c.policy.Redact(key, inner, text) }); err != nil {
			c.drop(key, err, to)
			return nil, nil
		}
	}
	if len(raw) > c.policy.MaxBytes {
		c.truncated.add(1, nil)
		raw = truncatedJSON(raw, c.policy.MaxBytes, key == semconv.GenAIInputMessages || key == semconv.GenAIOutputMessages)
	}
	return raw, nil
}

// text captures text that is content, or that may hold some, such as the
// message of an error.
func (c *contents) text(key, s string, to *captured) string {
	if s == "" {
		return ""
	}
	if len(c.policy.Redactors) > 0 {
		redacted, err := c.policy.Redact(key, "", s)
		if err != nil {
			c.drop(key, err, to)
			return ""
		}
		s = text(redacted)
	}
	if len(s) > c.policy.MaxBytes {
		c.truncated.add(1, nil)
		marker := fmt.Sprintf("… [truncated: %d bytes]", len(s))
		s = head(s, c.policy.MaxBytes-len(marker)) + marker
	}
	return s
}

func (c *contents) drop(key string, err error, to *captured) {
	c.dropped.add(1, err)
	to.dropped = append(to.dropped, key)
}

// decision captures a decision trace.
func (c *contents) decision(mode CaptureMode, d *DecisionTrace, to *captured) {
	if mode == CaptureFull || mode == captureUnset {
		had := d.Reasoning != ""
		d.Reasoning = c.text(semconv.DecisionReasoning, d.Reasoning, to)
		if had && d.Reasoning == "" {
			d.Reasoning = NotCaptured
		}
		for i, a := range d.Alternatives {
			d.Alternatives[i] = c.text(semconv.DecisionAlternatives, a, to)
		}
		return
	}
	if strings.TrimSpace(d.Reasoning) != "" {
		d.Reasoning = NotCaptured
	}
	if mode == CaptureMetadata && len(d.Alternatives) > 0 {
		to.sizes = append(to.sizes, contentSize{semconv.DecisionAlternativesCount, len(d.Alternatives)})
	}
	d.Alternatives = nil
}

// failure captures what an error says.
func (c *contents) failure(f *analysis.Failure, to *captured) {
	f.Message = c.text(semconv.ExceptionMessage, f.Message, to)
}

// truncatedJSON returns JSON of at most limit bytes that tells how long the raw
// was and holds its beginning: an object, or a list with one message.
func truncatedJSON(raw []byte, limit int, messages bool) json.RawMessage {
	for n := limit - minContentBytes/2; ; n /= 2 {
		begin := head(string(raw), n)
		var v any = map[string]any{"agentlens.truncated": map[string]any{"bytes": len(raw), "head": begin}}
		if messages {
			v = []Message{{Role: "truncated", Parts: []Part{Text(fmt.Sprintf("%s… [truncated: %d bytes]", begin, len(raw)))}}}
		}
		short, err := toJSON("content", v)
		if err == nil && len(short) <= limit || n < 2 {
			return short
		}
	}
}

// head returns the first n bytes of s, fewer so that no rune is cut.
func head(s string, n int) string {
	n = max(0, min(n, len(s)))
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
