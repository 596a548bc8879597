package agentlens

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/agentlens/agentlens-otel/analysis"
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
// requires reasoning finds the same.
type CaptureMode uint8

const (
	captureUnset CaptureMode = iota
	// CaptureNone captures no content. Data given is not even encoded.
	CaptureNone
	// CaptureMetadata captures how much content there was, in bytes of JSON,
	// and how many alternatives.
	CaptureMetadata
	// CaptureFull captures the content, as redactors leave it.
	CaptureFull
)

// NotCaptured stands for reasoning that is not captured.
const NotCaptured = "[not captured]"

// captureEnv is the variable that GenAI instrumentations read. Its values are a
// boolean in some and one of four words in others.
const captureEnv = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

func (m CaptureMode) String() string {
	switch m {
	case CaptureNone:
		return "none"
	case CaptureMetadata:
		return "metadata"
	case CaptureFull:
		return "full"
	}
	return fmt.Sprintf("CaptureMode(%d)", uint8(m))
}

// WithCapture says how much content is captured: by a tracker, in a session, or
// of one event or span; the innermost that says so wins. The default of a
// tracker is what OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says: full
// for true, SPAN_ONLY and SPAN_AND_EVENT, none for false, NO_CONTENT and
// EVENT_ONLY (no events are written), or one of none, metadata and full. Without
// the variable it is full, for the data was handed over to be recorded.
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

// captureFromEnv returns what the environment says, full when it says nothing.
func captureFromEnv() (CaptureMode, error) {
	raw := os.Getenv(captureEnv)
	switch strings.ToLower(strings.TrimSpace(raw)) {
	case "", "1", "true", "span_only", "span_and_event", "full":
		return CaptureFull, nil
	case "0", "false", "no_content", "event_only", "none":
		return CaptureNone, nil
	case "metadata":
		return CaptureMetadata, nil
	}
	return captureUnset, &FieldError{
		Field: captureEnv, Value: fmt.Sprintf("%q", raw),
		Want: "true, false, NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, none, metadata or full",
	}
}

func checkCapture(m CaptureMode) error {
	if m > CaptureFull {
		return &FieldError{Field: "capture", Value: m, Want: "CaptureNone, CaptureMetadata or CaptureFull"}
	}
	return nil
}

// contents captures content as a tracker is told to.
type contents struct {
	redactors []Redactor
	maxBytes  int
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
	if len(c.redactors) > 0 {
		if raw, err = redactJSON(raw, func(inner, text string) (string, error) { return c.redact(key, inner, text) }); err != nil {
			c.drop(key, err, to)
			return nil, nil
		}
	}
	if len(raw) > c.maxBytes {
		c.truncated.add(1, nil)
		raw = truncatedJSON(raw, c.maxBytes, key == semconv.GenAIInputMessages || key == semconv.GenAIOutputMessages)
	}
	return raw, nil
}

// text captures text that is content, or that may hold some, such as the
// message of an error.
func (c *contents) text(key, s string, to *captured) string {
	if s == "" {
		return ""
	}
	if len(c.redactors) > 0 {
		redacted, err := c.redact(key, "", s)
		if err != nil {
			c.drop(key, err, to)
			return ""
		}
		s = text(redacted)
	}
	if len(s) > c.maxBytes {
		c.truncated.add(1, nil)
		marker := fmt.Sprintf("… [truncated: %d bytes]", len(s))
		s = head(s, c.maxBytes-len(marker)) + marker
	}
	return s
}

func (c *contents) drop(key string, err error, to *captured) {
	c.dropped.add(1, err)
	to.dropped = append(to.dropped, key)
}

// decision captures a decision trace.
func (c *contents) decision(mode CaptureMode, d *DecisionTrace, to *captured) {
	if mode == CaptureFull {
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
