package capture

import (
	"fmt"
	"os"
	"strings"
)

// Mode says how much of the content is captured.
type Mode uint8

const (
	// Unset leaves it to who comes next.
	Unset Mode = iota
	// None captures no content.
	None
	// Metadata captures how much content there was, in bytes of JSON.
	Metadata
	// Full captures the content, as redactors leave it.
	Full
)

// Env names the environment variable that GenAI instrumentations read.
const Env = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

// EnvValues are the values of Env that are known, for error messages.
const EnvValues = "true, false, NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, none, metadata or full"

func (m Mode) String() string {
	switch m {
	case None:
		return "none"
	case Metadata:
		return "metadata"
	case Full:
		return "full"
	}
	return fmt.Sprintf("CaptureMode(%d)", uint8(m))
}

// FromEnv returns what Env says, Unset when it says nothing. Its values are a
// boolean in some instrumentations and one of four words in others. EVENT_ONLY
// is None, for no events are written. ok is false for a value that is not
// known, which is None.
func FromEnv() (m Mode, ok bool) {
	switch strings.ToLower(strings.TrimSpace(os.Getenv(Env))) {
	case "":
		return Unset, true
	case "1", "true", "span_only", "span_and_event", "full":
		return Full, true
	case "0", "false", "no_content", "event_only", "none":
		return None, true
	case "metadata":
		return Metadata, true
	}
	return None, false
}
