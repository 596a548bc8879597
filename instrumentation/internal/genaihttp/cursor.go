package genaihttp

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Cursor reads a JSON value that is whole: the delta of a stream, of which there
// are hundreds, each with a field or two that matter.
//
// It says what encoding/json says or nothing. Of what is plain it returns the
// same; on all else it gives up, and then the value is one for encoding/json:
// what is no JSON or of another type than asked for, a key that comes twice, one
// with an escape or that fits a name but for its case, a string that is not
// UTF-8, and what is nested deeply. So a caller takes what it read only after
// Whole.
type Cursor struct {
	data      []byte
	at        int
	depth     int
	gaveUp    bool
	unescaped []byte // the strings that had escapes
}

// maxDepth is how deep a value may be nested.
const maxDepth = 32

// Reset begins a value. What was returned of the one before is no longer valid.
func (c *Cursor) Reset(value []byte) {
	*c = Cursor{data: value, unescaped: c.unescaped[:0]}
}

// Whole reports whether the value has been read to its end, without giving up.
func (c *Cursor) Whole() bool {
	return c.next() == 0 && c.at == len(c.data) && !c.gaveUp
}

// GiveUp leaves the value to encoding/json.
func (c *Cursor) GiveUp() { c.gaveUp = true }

// Object reads an object. For a member with one of the names, at most 64, it
// calls member with the index of the name, and member reads the value. Members
// that are null are passed over, and so are all others.
func (c *Cursor) Object(names []string, member func(i int)) {
	if !c.open('{') {
		return
	}
	var seen uint64
	for !c.gaveUp {
		i := c.name(names)
		if c.next() != ':' {
			c.gaveUp = true
			return
		}
		c.at++
		value := c.next()
		switch {
		case i < 0 || value == 'n':
			c.Skip()
		case !c.gaveUp:
			member(i)
		}
		if i >= 0 {
			c.gaveUp = c.gaveUp || seen&(1<<i) != 0
			seen |= 1 << i
		}
		if c.closed('}') {
			return
		}
	}
}

// List reads a list, each element with element.
func (c *Cursor) List(element func()) {
	if !c.open('[') {
		return
	}
	for !c.gaveUp {
		element()
		if c.closed(']') {
			return
		}
	}
}

// Text reads a string.
func (c *Cursor) Text() []byte {
	if c.next() != '"' {
		c.gaveUp = true
		return nil
	}
	start, ascii := c.at+1, true
	for i := start; i < len(c.data); i++ {
		switch b := c.data[i]; {
		case b == '"':
			s := c.data[start:i]
			c.at = i + 1
			c.gaveUp = c.gaveUp || !ascii && !utf8.Valid(s)
			return s
		case b == '\\':
			return c.escaped(start, i)
		case b < ' ':
			c.gaveUp = true
			return nil
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	c.gaveUp = true
	return nil
}

// Int reads a count: a number of at most 9 digits and nothing else.
func (c *Cursor) Int() (n int) {
	c.next()
	start := c.at
	for c.at < len(c.data) && c.data[c.at] >= '0' && c.data[c.at] <= '9' {
		n = 10*n + int(c.data[c.at]-'0')
		c.at++
	}
	if digits := c.at - start; digits == 0 || digits > 9 || digits > 1 && c.data[start] == '0' {
		c.gaveUp = true
	}
	return n
}

// Bool reads true or false.
func (c *Cursor) Bool() bool {
	if c.next() == 't' {
		c.literal("true")
		return true
	}
	c.literal("false")
	return false
}

// Skip passes over a value.
func (c *Cursor) Skip() {
	switch c.next() {
	case '"':
		c.Text()
	case '{':
		c.Object(nil, nil)
	case '[':
		c.List(c.Skip)
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.number()
	}
}

// next goes to the next byte that is no space and returns it, 0 at the end.
func (c *Cursor) next() byte {
	for ; c.at < len(c.data); c.at++ {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// open reads the beginning of an object or a list. It reports whether there is
// something in it.
func (c *Cursor) open(bracket byte) bool {
	if c.gaveUp || c.next() != bracket || c.depth == maxDepth {
		c.gaveUp = true
		return false
	}
	c.at++
	if c.next() == bracket+2 { // as ASCII has it
		c.at++
		return false
	}
	c.depth++
	return true
}

// closed reads what comes after a member or an element. It reports whether that
// was the last.
func (c *Cursor) closed(bracket byte) bool {
	switch c.next() {
	case ',':
		c.at++
		return false
	case bracket:
		c.at++
		c.depth--
		return true
	default:
		c.gaveUp = true
		return true
	}
}

// name reads a key and returns which of the names it is, -1 when it is none.
func (c *Cursor) name(names []string) int {
	before := len(c.unescaped)
	key := c.Text()
	if len(c.unescaped) > before {
		c.gaveUp = true
	}
	for i, name := range names {
		if name == string(key) {
			return i
		}
	}
	if len(names) == 0 {
		return -1
	}
	for _, b := range key {
		c.gaveUp = c.gaveUp || b >= utf8.RuneSelf // There are letters whose other case is ASCII.
	}
	for _, name := range names {
		c.gaveUp = c.gaveUp || sameButForCase(key, name)
	}
	return -1
}

// sameButForCase reports whether encoding/json may take the key, of ASCII, for
// the name.
func sameButForCase(key []byte, name string) bool {
	if len(key) != len(name) {
		return false
	}
	for i, b := range key {
		if b|0x20 != name[i]|0x20 {
			return false
		}
	}
	return true
}

// escaped reads on in a string that began at start and has its first escape at
// i.
func (c *Cursor) escaped(start, i int) []byte {
	out := len(c.unescaped)
	for i < len(c.data) {
		switch b := c.data[i]; {
		case b == '"':
			c.unescaped = append(c.unescaped, c.data[start:i]...)
			c.at = i + 1
			s := c.unescaped[out:len(c.unescaped):len(c.unescaped)]
			c.gaveUp = c.gaveUp || !utf8.Valid(s)
			return s
		case b == '\\':
			c.unescaped = append(c.unescaped, c.data[start:i]...)
			if i = c.escape(i + 1); i < 0 {
				c.gaveUp = true
				return nil
			}
			start = i
		case b < ' ':
			c.gaveUp = true
			return nil
		default:
			i++
		}
	}
	c.gaveUp = true
	return nil
}

// escape appends what the escape says that goes on at i, and returns where it
// ends, -1 when it is none.
func (c *Cursor) escape(i int) int {
	if i >= len(c.data) {
		return -1
	}
	b := c.data[i]
	switch b {
	case '"', '\\', '/':
	case 'b':
		b = '\b'
	case 'f':
		b = '\f'
	case 'n':
		b = '\n'
	case 'r':
		b = '\r'
	case 't':
		b = '\t'
	case 'u':
		return c.unicode(i + 1)
	default:
		return -1
	}
	c.unescaped = append(c.unescaped, b)
	return i + 1
}

// unicode is escape for the digits of \u, and those of the other half of a pair.
func (c *Cursor) unicode(i int) int {
	r := c.hex(i)
	if r < 0 {
		return -1
	}
	if i += 4; utf16.IsSurrogate(r) {
		half := rune(-1)
		if i+1 < len(c.data) && c.data[i] == '\\' && c.data[i+1] == 'u' {
			half = c.hex(i + 2)
		}
		if r = utf16.DecodeRune(r, half); r != utf8.RuneError {
			i += 6
		}
	}
	c.unescaped = utf8.AppendRune(c.unescaped, r)
	return i
}

// hex returns the number of the four digits at i, -1 when there are not four.
func (c *Cursor) hex(i int) rune {
	if i+4 > len(c.data) {
		return -1
	}
	var r rune
	for _, b := range c.data[i : i+4] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			b = b | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(b)
	}
	return r
}

func (c *Cursor) literal(s string) {
	if !bytes.HasPrefix(c.data[c.at:], []byte(s)) {
		c.gaveUp = true
		return
	}
	c.at += len(s)
}

// number passes over a number.
func (c *Cursor) number() {
	if c.next() == '-' {
		c.at++
	}
	if whole := c.digits(); whole == 0 || whole > 1 && c.data[c.at-whole] == '0' {
		c.gaveUp = true
	}
	if c.peek() == '.' {
		c.at++
		c.gaveUp = c.gaveUp || c.digits() == 0
	}
	if c.peek()|0x20 == 'e' {
		c.at++
		if sign := c.peek(); sign == '+' || sign == '-' {
			c.at++
		}
		c.gaveUp = c.gaveUp || c.digits() == 0
	}
}

func (c *Cursor) digits() (n int) {
	for ; c.peek() >= '0' && c.peek() <= '9'; n++ {
		c.at++
	}
	return n
}

// peek returns the next byte, 0 at the end.
func (c *Cursor) peek() byte {
	if c.at < len(c.data) {
		return c.data[c.at]
	}
	return 0
}
