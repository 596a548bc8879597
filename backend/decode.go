package backend

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
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
	// name is that of the list.
	name   string
	events []wire.Event
	// copies are those of its copies that say what they are a part of.
	copies []wire.Event
	// entries is how many there were.
	entries int
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
// no other. Prompts and answers are long, so it goes over the text no oftener
// than it has to: the entries are decoded where they stand.
func decodeBatch(body []byte) (*batch, error) {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	// An id of 19 digits in metadata does not fit a float64.
	d.UseNumber()
	b, err := readBatch(d, body)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = fmt.Errorf("there is more behind it: %w", cmp.Or(end, errMore))
		}
	}
	switch {
	case err != nil:
		return nil, &batchSyntaxError{`the body is not {"events":[…]}: ` + err.Error()}
	case b == nil:
		return nil, &batchSyntaxError{`events is missing, want {"events":[…]}`}
	case b.entries > wire.MaxBatchEvents:
		return nil, &batchTooLargeError{b.entries}
	}
	return b, nil
}

var errMore = errors.New("want the end of the body")

// readBatch reads the object that is the body; nil when it has no events. Of
// several fields named so, in whatever case, the last counts, as with
// json.Unmarshal.
func readBatch(d *json.Decoder, body []byte) (b *batch, err error) {
	var copies *batch
	if open, err := d.Token(); err != nil || open == nil {
		return nil, err
	} else if open != json.Delim('{') {
		return nil, fmt.Errorf("it begins with %v", open)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch text, _ := name.(string); {
		case strings.EqualFold(text, "events"):
			b, err = readEntries(d, body, text)
		case strings.EqualFold(text, "copies"):
			copies, err = readCopies(d)
		default:
			err = d.Decode(&json.RawMessage{})
		}
		if err != nil {
			return nil, err
		}
	}
	if b != nil && copies != nil {
		b.addCopies(copies)
	}
	_, err = d.Token()
	return b, err
}

// readCopies reads the list of copies; nil when it is none: what is wrong with a
// copy costs no event.
func readCopies(d *json.Decoder) (*batch, error) {
	var list json.RawMessage
	if err := d.Decode(&list); err != nil || len(list) == 0 || list[0] != '[' {
		return nil, err
	}
	d = json.NewDecoder(bytes.NewReader(list))
	d.UseNumber()
	return readEntries(d, list, "copies")
}

// addCopies takes in those that say what they are a part of. The answer counts
// none of them.
func (b *batch) addCopies(copies *batch) {
	b.truncated += copies.truncated
	for _, why := range copies.reasons {
		b.reason(why)
	}
	for i := range copies.events {
		if e := &copies.events[i]; len(e.PartOf) > 0 && wire.IsEvent(e.EventType) {
			b.copies = append(b.copies, *e)
		} else {
			b.reason(fmt.Sprintf("a copy skipped: event %s is said to be part of none", short(e.EventID)))
		}
	}
}

// readEntries reads the list of entries of a name; nil when it is null.
func readEntries(d *json.Decoder, body []byte, name string) (*batch, error) {
	if open, err := d.Token(); err != nil || open == nil {
		return nil, err
	} else if open != json.Delim('[') {
		return nil, fmt.Errorf("%s is %v, want a list", name, open)
	}
	b := &batch{name: name, events: make([]wire.Event, 0, 64)}
	seen := map[[sha256.Size]byte]int{}
	for ; d.More(); b.entries++ {
		if b.entries >= wire.MaxBatchEvents {
			// Refused, when they have been counted.
			if err := d.Decode(&json.RawMessage{}); err != nil {
				return nil, err
			}
			continue
		}
		var e wire.Event
		before := d.InputOffset()
		err := d.Decode(&e)
		// Before it stand a comma and white space.
		raw := bytes.TrimLeft(body[before:d.InputOffset()], ", \t\r\n")
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		b.add(raw, e, err, seen)
	}
	_, err := d.Token()
	return b, err
}

// add adds the next entry, which was read from raw with err. seen counts the
// entries without an id by content.
func (b *batch) add(raw json.RawMessage, e wire.Event, err error, seen map[[sha256.Size]byte]int) {
	c := cleaner{batch: b, entry: b.entries}
	if err != nil {
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
	if wire.IsEvent(e.EventType) && !wire.ValidID(e.EventID) {
		e.EventID = eventID(&e, raw, seen)
	}
	b.events = append(b.events, e)
}

// decodeEvent reads an event as decodeBatch does.
func decodeEvent(raw []byte, e *wire.Event) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(e)
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
