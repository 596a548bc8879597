package sessions

import "unique"

// symbols are names and services that sessions at rest tell by number: agents,
// models and tools of most sessions are the same few.
type symbols struct {
	numbers map[string]uint64
	// names are by number; the first is no name.
	names          []name
	serviceNumbers map[unique.Handle[Service]]uint64
	services       []unique.Handle[Service]
	// recent are names looked up lately, by slotOf: to find one there takes a
	// fifth of a lookup in the map, and of making it a name.
	recent [recentSymbols]symbol
}

// symbol is a name and its number, if it has one.
type symbol struct {
	name     name
	text     string
	number   uint64
	numbered bool
}

const (
	// maxSymbols bounds the names, and the services. What comes after them is
	// told as it is.
	maxSymbols = 1024
	// maxSymbol is the longest name that is told by number, in bytes.
	maxSymbol = 64

	recentSymbols = 64
)

func newSymbols() *symbols {
	return &symbols{
		numbers: map[string]uint64{"": 0}, names: make([]name, 1), serviceNumbers: map[unique.Handle[Service]]uint64{},
	}
}

// name returns a text as a name.
func (y *symbols) name(s string) name {
	if s == "" || len(s) > maxSymbol {
		return nameOf(s)
	}
	return y.lookup(s).name
}

// number returns the number of a name; false = it has none.
func (y *symbols) number(s string) (uint64, bool) {
	switch {
	case s == "":
		return 0, true
	case len(s) > maxSymbol:
		return 0, false
	}
	found := y.lookup(s)
	return found.number, found.numbered
}

// lookup returns the symbol of a text that is neither empty nor too long.
func (y *symbols) lookup(s string) *symbol {
	found := &y.recent[slotOf(s)]
	if found.text != s {
		// The string may be part of a larger one.
		made := nameOf(s)
		*found = symbol{name: made, text: textOf(made)}
		found.number, found.numbered = y.enter(made)
	}
	return found
}

// slotOf tells names apart by what they differ in: length, end, and middle.
func slotOf(s string) int {
	n := len(s)
	return (5*n + int(s[n-1]) + 3*int(s[n/2]) + 7*int(s[0])) % recentSymbols
}

// enter gives a name a number, if there is one left.
func (y *symbols) enter(made name) (uint64, bool) {
	if n, ok := y.numbers[textOf(made)]; ok {
		return n, true
	}
	if len(y.names) >= maxSymbols {
		return 0, false
	}
	n := uint64(len(y.names))
	y.names = append(y.names, made)
	y.numbers[textOf(made)] = n
	return n, true
}

// serviceNumber returns the number of a service; false = it has none.
func (y *symbols) serviceNumber(s unique.Handle[Service]) (uint64, bool) {
	if n, ok := y.serviceNumbers[s]; ok {
		return n, true
	}
	if len(y.services) == maxSymbols {
		return 0, false
	}
	n := uint64(len(y.services))
	y.services = append(y.services, s)
	y.serviceNumbers[s] = n
	return n, true
}
