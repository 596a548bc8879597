package drift

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
	"unique"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Session is what a Window keeps of a session, as AppendSession writes it: for who
// holds it back before it joins one. It is bytes, for there may be many thousands,
// which never leave the process but as JSON. An empty Session is that of an empty
// summary.
type Session []byte

// AppendSession appends to b the Session that AddRevision would keep. A summary
// with a negative figure is refused with a *analysis.FieldError, and b is as it
// was.
func AppendSession(b []byte, summary *analysis.Summary, revision int64) ([]byte, error) {
	if err := check(summary); err != nil {
		return b, err
	}
	var x sample
	x.measure(summary, revision)
	x.models, x.tools, x.eventTypes = summary.Models, summary.Tools, summary.EventTypes
	return x.pack(b), nil
}

// ID returns the session's id, which is part of s.
func (s Session) ID() []byte {
	u := unpacker(s)
	if len(u) == 0 {
		return nil
	}
	return u.text()
}

// Revision returns which verdict on the session it is of.
func (s Session) Revision() int64 {
	u := unpacker(s)
	_, _, _, revision := u.header()
	return revision
}

// MarshalJSON returns the JSON of a window that holds only the session.
func (s Session) MarshalJSON() ([]byte, error) {
	var x sample
	x.unpack(s)
	return json.Marshal(windowJSON{Version: snapshotVersion, MaxSessions: 1, Sessions: []sessionJSON{x.json()}})
}

// UnmarshalJSON replaces the session with that of a snapshot, and refuses what
// Window.UnmarshalJSON refuses.
func (s *Session) UnmarshalJSON(b []byte) error {
	in, err := readWindow(b)
	if err != nil {
		return err
	}
	if len(in.Sessions) != 1 {
		return fmt.Errorf("drift session: %w", &analysis.FieldError{Field: "sessions", Value: len(in.Sessions), Want: "one"})
	}
	var x sample
	if err := x.restore(&in.Sessions[0]); err != nil {
		return fmt.Errorf("drift session: %w", err)
	}
	*s = x.pack(nil)
	return nil
}

// pack appends the sample to b.
func (x *sample) pack(b []byte) []byte {
	b = appendText(b, x.id)
	b = appendInt(b, x.end.Unix())
	b = appendUint(b, uint64(x.end.Nanosecond()))
	b = appendInt(b, x.revision)
	b = appendUint(b, uint64(x.known))
	for metric, v := range x.values {
		if x.knows(metric) {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	for _, c := range [...]*analysis.Counts{&x.models, &x.tools, &x.eventTypes} {
		b = appendUint(b, uint64(len(c.List)))
		for i := range c.List {
			b = appendInt(appendText(b, c.List[i].Name), c.List[i].N)
		}
		b = appendInt(b, c.Other)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(appendUint(b, uint64(len(text))), text...)
}

// appendInt and appendUint are those of encoding/binary, and no calls of them for
// the small numbers that most are.
func appendInt(b []byte, n int64) []byte {
	return appendUint(b, uint64(n)<<1^uint64(n>>63))
}

func appendUint(b []byte, n uint64) []byte {
	if n < 1<<7 {
		return append(b, byte(n))
	}
	return binary.AppendUvarint(b, n)
}

// unpack makes x the sample that pack has written, using again the memory x has.
func (x *sample) unpack(b []byte) {
	models, tools, eventTypes := x.models.List[:0], x.tools.List[:0], x.eventTypes.List[:0]
	*x = sample{}
	x.models.List, x.tools.List, x.eventTypes.List = models, tools, eventTypes
	if len(b) == 0 {
		return
	}
	u := unpacker(b)
	id, seconds, nanos, revision := u.header()
	x.id, x.end, x.revision = string(id), time.Unix(seconds, int64(nanos)).UTC(), revision
	x.known = uint16(u.uint())
	for metric := range x.values {
		if x.knows(metric) {
			x.values[metric] = u.float()
		}
	}
	for _, c := range [...]*analysis.Counts{&x.models, &x.tools, &x.eventTypes} {
		u.counts(c)
	}
}

// unpacker is what is left to be read.
type unpacker []byte

// noTime is the zero time.Time in seconds since 1970.
const noTime = -62135596800

// header reads what pack writes before the figures: the id, the end in seconds
// since 1970 and nanoseconds, and the revision; nothing of an empty Session.
func (u *unpacker) header() (id []byte, seconds int64, nanos int32, revision int64) {
	if len(*u) == 0 {
		return nil, noTime, 0, 0
	}
	id, seconds = u.text(), u.int()
	return id, seconds, int32(u.uint()), u.int()
}

func (u *unpacker) int() int64 {
	v, n := binary.Varint(*u)
	*u = (*u)[n:]
	return v
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(*u)
	*u = (*u)[n:]
	return v
}

func (u *unpacker) float() float64 {
	v := math.Float64frombits(binary.LittleEndian.Uint64(*u))
	*u = (*u)[8:]
	return v
}

func (u *unpacker) text() []byte {
	n := u.uint()
	text := (*u)[:n]
	*u = (*u)[n:]
	return text
}

// counts reads a list into the memory of another. The sessions of an agent use
// the same models and tools: a name that stood in its place is not made anew.
func (u *unpacker) counts(c *analysis.Counts) {
	n := int(u.uint())
	c.List = slices.Grow(c.List, n)[:n]
	for i := range c.List {
		one := &c.List[i]
		if name := u.text(); one.Name != string(name) {
			one.Name = unique.Make(string(name)).Value()
		}
		one.N = u.int()
	}
	c.Other = u.int()
}
