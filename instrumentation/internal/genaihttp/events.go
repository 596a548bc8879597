package genaihttp

import "bytes"

// events splits a text/event-stream that arrives in pieces. The data of an
// event goes straight into the scanner, so that a long line costs no memory.
type events struct {
	data *scanner
	// dispatch is called at the end of each event that had data. done says
	// that the data was [DONE].
	dispatch func(event string, done bool)

	field  []byte // the name of the line's field, up to maxField
	value  bool   // after the colon
	first  bool   // before the first byte of the value
	event  []byte
	name   string // of the event before, mostly that of this one too
	head   []byte // the first bytes of the data
	inData bool   // the line's field is data
	data1  bool   // the event has data
}

const (
	maxField = 16
	maxEvent = 64
)

var doneMark = []byte("[DONE]")

func (e *events) write(p []byte) {
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		if !e.value {
			line = e.readField(line)
		}
		if e.value && len(line) > 0 {
			e.readValue(line)
		}
		if !ended {
			return
		}
		e.endLine()
		p = rest
	}
}

// readField takes the line up to its colon and returns what follows.
func (e *events) readField(line []byte) []byte {
	name, value, colon := bytes.Cut(line, []byte{':'})
	e.field = append(e.field, name[:min(len(name), maxField-len(e.field))]...)
	if !colon {
		return nil
	}
	e.value, e.first = true, true
	switch string(e.field) {
	case "data":
		e.inData = true
		if e.data1 {
			e.data.write([]byte{'\n'})
		}
		e.data1 = true
	case "event":
		e.event = e.event[:0]
	}
	return value
}

func (e *events) readValue(v []byte) {
	if e.first && v[0] == ' ' {
		v = v[1:]
	}
	e.first = false
	switch {
	case e.inData:
		if n := len(doneMark) - len(e.head); n > 0 {
			e.head = append(e.head, v[:min(n, len(v))]...)
		}
		e.data.write(v)
	case string(e.field) == "event":
		e.event = append(e.event, v[:min(len(v), maxEvent-len(e.event))]...)
	}
}

func (e *events) endLine() {
	blank := !e.value && (len(e.field) == 0 || string(e.field) == "\r")
	e.field, e.value, e.first, e.inData = e.field[:0], false, false, false
	if !blank {
		return
	}
	if e.data1 {
		if name := bytes.TrimRight(e.event, "\r"); string(name) != e.name {
			e.name = string(name)
		}
		e.dispatch(e.name, bytes.Equal(e.head, doneMark))
	}
	e.event, e.head, e.data1 = e.event[:0], e.head[:0], false
	e.data.reset()
}
