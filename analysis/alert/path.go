package alert

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// child returns the member of an object, or the element of an array, called
// name, and nil when there is none. It reads no further than it must and
// allocates nothing, which unmarshalling an event's whole output for one figure
// would. Of a key written twice the first counts. Text that is not JSON gives
// nil or a part of it, but no panic.
func child(raw json.RawMessage, name string) json.RawMessage {
	i := skipSpace(raw, 0)
	if i == len(raw) || (raw[i] != '{' && raw[i] != '[') {
		return nil
	}
	inObject := raw[i] == '{'
	wanted := 0
	if !inObject {
		var err error
		if wanted, err = strconv.Atoi(name); err != nil {
			return nil
		}
	}
	for element := 0; ; element++ {
		i = skipSpace(raw, i+1) // past the bracket or comma
		found := element == wanted
		if inObject {
			end := skipValue(raw, i)
			found = isKey(raw[i:end], name)
			if i = skipSpace(raw, end); i == len(raw) || raw[i] != ':' {
				return nil
			}
			i = skipSpace(raw, i+1)
		}
		end := skipValue(raw, i)
		if end == i {
			return nil
		}
		if found {
			return raw[i:end]
		}
		if i = skipSpace(raw, end); i == len(raw) || raw[i] != ',' {
			return nil
		}
	}
}

// isKey reports whether a JSON string is name.
func isKey(quoted []byte, name string) bool {
	if len(quoted) < 2 || quoted[0] != '"' {
		return false
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	var s string
	return json.Unmarshal(quoted, &s) == nil && s == name
}

// isSpace reports whether JSON has a byte between its values.
func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return min(i, len(raw))
}

func trimSpace(raw []byte) []byte {
	raw = raw[skipSpace(raw, 0):]
	for len(raw) > 0 && isSpace(raw[len(raw)-1]) {
		raw = raw[:len(raw)-1]
	}
	return raw
}

// skipValue returns where the value that begins at i ends; i itself when none
// does.
func skipValue(raw []byte, i int) int {
	for depth := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default: // a part of a number, true, false or null
			i++
			if depth == 0 && i < len(raw) && bytes.IndexByte([]byte(",:]} \n\t\r"), raw[i]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}
