package backend

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxReasons is how many skipped entries and cut fields an answer explains.
const maxReasons = 10

var wantID = fmt.Sprintf("1 to %d of a-z A-Z 0-9 _ - . :", wire.MaxIDChars)

// batch is a decoded body: the entries that can be stored, each with a valid
// session id and, when it is an event, an event id.
type batch struct {
	events []wire.Event
	// skipped counts the entries left out, truncated the fields cut or dropped.
	skipped, truncated int
	reasons            []string
}

// batchTooLargeError is a batch of more entries than one may have.
type batchTooLargeError struct{ n int }

func (e *batchTooLargeError) Error() string {
	return fmt.Sprintf("Batch too large: %d events, at most %d", e.n, wire.MaxBatchEvents)
}

// batchSyntaxError is a body that is not a batch.
type batchSyntaxError struct{ what string }

func (e *batchSyntaxError) Error() string { return e.what }

// decodeBatch reads a body, one entry at a time, so that one bad entry costs
// no other.
func decodeBatch(body []byte) (*batch, error) {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	var in struct {
		Events *[]json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &batchSyntaxError{`the body is not {"events":[…]}: ` + err.Error()}
	}
	if in.Events == nil {
		return nil, &batchSyntaxError{`events is missing, want {"events":[…]}`}
	}
	if n := len(*in.Events); n > wire.MaxBatchEvents {
		return nil, &batchTooLargeError{n}
	}
	b := &batch{events: make([]wire.Event, 0, len(*in.Events))}
	seen := map[[sha256.Size]byte]int{}
	for i, raw := range *in.Events {
		b.add(i, raw, seen)
	}
	return b, nil
}

// add decodes entry i. seen counts the entries without an id by content.
func (b *batch) add(i int, raw json.RawMessage, seen map[[sha256.Size]byte]int) {
	c := cleaner{batch: b, entry: i}
	var e wire.Event
	if err := decodeEvent(raw, &e); err != nil {
		if !c.salvage(raw, &e) {
			c.skip(&analysis.FieldError{Field: "entry", Value: short(string(raw)), Want: "a JSON object"})
			return
		}
	}
	if !wire.ValidID(e.SessionID) {
		c.skip(&analysis.FieldError{Field: "session_id", Value: short(e.SessionID), Want: wantID})
		return
	}
	// The original takes no decision; here it is at home.
	if !wire.Accepted(e.EventType) && e.EventType != string(analysis.EventDecision) {
		c.skip(&analysis.FieldError{Field: "event_type", Value: short(e.EventType), Want: "a type the backend knows, as llm_call or generic"})
		return
	}
	e.Own()
	c.clean(&e)
	if e.EventType != wire.TypeSessionStart && e.EventType != wire.TypeSessionEnd && !wire.ValidID(e.EventID) {
		e.EventID = eventID(&e, raw, seen)
	}
	b.events = append(b.events, e)
}

// decodeEvent keeps numbers in metadata as they are written: an id of 19
// digits does not fit a float64. Metadata is the one field of any type, and
// few entries have it: they are read twice.
func decodeEvent(raw []byte, e *wire.Event) error {
	if err := json.Unmarshal(raw, e); err != nil || e.Metadata == nil {
		return err
	}
	var again wire.Event
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := d.Decode(&again)
	e.Metadata = again.Metadata
	return err
}

// eventID makes an id for an event that has none. It is the same when the
// batch comes again, and differs for two like events of one batch. An event
// that does not say when it was cannot be told from its repetition.
func eventID(e *wire.Event, raw []byte, seen map[[sha256.Size]byte]int) string {
	if e.Timestamp == nil {
		return uuid.NewString()
	}
	sum := sha256.Sum256(raw)
	n := seen[sum]
	seen[sum]++
	sum = sha256.Sum256(strconv.AppendInt(sum[:], int64(n), 10))
	return hex.EncodeToString(sum[:16])
}

func (b *batch) reason(text string) {
	if len(b.reasons) < maxReasons {
		b.reasons = append(b.reasons, text)
	}
}

// short quotes a value for an error's text.
func short(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
