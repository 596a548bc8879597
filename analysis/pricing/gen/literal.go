package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// literalToJSON rewrites the JavaScript literal at the start of src as JSON.
// It knows what bundlers write for data: arrays, objects with or without quoted
// keys, strings with any of the three quotes, numbers, null, !0 and !1.
func literalToJSON(src string) ([]byte, error) {
	p := literal{src: src}
	if err := p.value(); err != nil {
		return nil, fmt.Errorf("JavaScript literal, byte %d: %w", p.pos, err)
	}
	return p.out.Bytes(), nil
}

type literal struct {
	src string
	pos int
	out bytes.Buffer
}

func (p *literal) value() error {
	switch c := p.peek(); {
	case c == '[':
		return p.list(']', p.value)
	case c == '{':
		return p.list('}', p.member)
	case c == '"' || c == '\'' || c == '`':
		s, err := p.str()
		if err != nil {
			return err
		}
		return p.write(s)
	case c == '-' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	for word, text := range map[string]string{"!0": "true", "!1": "false", "true": "true", "false": "false", "null": "null"} {
		if strings.HasPrefix(p.src[p.pos:], word) {
			p.pos += len(word)
			p.out.WriteString(text)
			return nil
		}
	}
	return fmt.Errorf("unexpected %q", p.near())
}

// list reads elements up to the closing bracket; a comma may stand before it.
func (p *literal) list(closing byte, element func() error) error {
	p.out.WriteByte(p.src[p.pos])
	p.pos++
	for first := true; ; first = false {
		if p.peek() == closing {
			p.out.WriteByte(closing)
			p.pos++
			return nil
		}
		if !first {
			p.out.WriteByte(',')
		}
		if err := element(); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.pos++
		case closing:
		default:
			return fmt.Errorf("want , or %c, found %q", closing, p.near())
		}
	}
}

func (p *literal) member() error {
	var key string
	if c := p.peek(); c == '"' || c == '\'' {
		var err error
		if key, err = p.str(); err != nil {
			return err
		}
	} else {
		end := strings.IndexFunc(p.src[p.pos:], func(r rune) bool {
			return r != '_' && r != '$' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if end <= 0 {
			return fmt.Errorf("want a key, found %q", p.near())
		}
		key = p.src[p.pos : p.pos+end]
		p.pos += end
	}
	if err := p.write(key); err != nil {
		return err
	}
	if p.peek() != ':' {
		return fmt.Errorf("want : after key %q, found %q", key, p.near())
	}
	p.pos++
	p.out.WriteByte(':')
	return p.value()
}

func (p *literal) number() error {
	end := strings.IndexFunc(p.src[p.pos:], func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) })
	if end < 0 {
		end = len(p.src) - p.pos
	}
	f, err := strconv.ParseFloat(p.src[p.pos:p.pos+end], 64)
	if err != nil {
		return err
	}
	p.pos += end
	return p.write(f)
}

// str reads a quoted string and returns what it means.
func (p *literal) str() (string, error) {
	quote := p.src[p.pos]
	p.pos++
	var b strings.Builder
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		p.pos++
		switch {
		case c == quote:
			return b.String(), nil
		case c == '$' && quote == '`' && strings.HasPrefix(p.src[p.pos:], "{"):
			return "", fmt.Errorf("template with a substitution")
		case c != '\\':
			b.WriteByte(c)
		default:
			if err := p.escape(&b); err != nil {
				return "", err
			}
		}
	}
	return "", fmt.Errorf("string without an end")
}

// escape reads what follows a backslash.
func (p *literal) escape(b *strings.Builder) error {
	if p.pos == len(p.src) {
		return fmt.Errorf("string without an end")
	}
	c := p.src[p.pos]
	p.pos++
	if i := strings.IndexByte("nrtbfv0", c); i >= 0 {
		b.WriteByte("\n\r\t\b\f\v\x00"[i])
		return nil
	}
	digits := 0
	switch c {
	case '\n':
		return nil
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	default:
		b.WriteByte(c)
		return nil
	}
	if len(p.src)-p.pos < digits {
		return fmt.Errorf("string without an end")
	}
	r, err := strconv.ParseUint(p.src[p.pos:p.pos+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(r)) {
		return fmt.Errorf("unsupported escape %q", p.near())
	}
	p.pos += digits
	b.WriteRune(rune(r))
	return nil
}

func (p *literal) write(v any) error {
	enc := json.NewEncoder(&p.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// peek skips white space and comments and returns the next byte, 0 at the end.
func (p *literal) peek() byte {
	for {
		p.pos += len(p.src[p.pos:]) - len(strings.TrimLeft(p.src[p.pos:], " \t\r\n"))
		if !strings.HasPrefix(p.src[p.pos:], "/*") {
			break
		}
		end := strings.Index(p.src[p.pos:], "*/")
		if end < 0 {
			p.pos = len(p.src)
			break
		}
		p.pos += end + len("*/")
	}
	if p.pos == len(p.src) {
		return 0
	}
	return p.src[p.pos]
}

func (p *literal) near() string {
	return p.src[p.pos:min(len(p.src), p.pos+20)]
}
