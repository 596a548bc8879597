package sessions

import "unique"

// symbols are names and services that sessions at rest tell by number: agents,
// models and tools of most sessions are the same few.
type symbols struct {
	numbers        map[string]uint64
	ofNames        map[name]uint64
	names          []name
	serviceNumbers map[unique.Handle[Service]]uint64
	services       []unique.Handle[Service]
}

const (
	// maxSymbols bounds the names, and the services. What comes after them is
	// told as it is.
	maxSymbols = 1024
	// maxSymbol is the longest name that is told by number, in bytes.
	maxSymbol = 64
)

func newSymbols() *symbols {
	return &symbols{numbers: map[string]uint64{}, ofNames: map[name]uint64{}, serviceNumbers: map[unique.Handle[Service]]uint64{}}
}

// number returns the number of a name; false = it has none.
func (y *symbols) number(s string) (uint64, bool) {
	if n, ok := y.numbers[s]; ok {
		return n, true
	}
	if len(y.names) == maxSymbols || len(s) > maxSymbol {
		return 0, false
	}
	// The string may be part of a larger one.
	made := nameOf(s)
	n := uint64(len(y.names))
	y.names = append(y.names, made)
	y.numbers[textOf(made)], y.ofNames[made] = n, n
	return n, true
}

// numberOf is number for a name that is known to be one: there is less to hash.
func (y *symbols) numberOf(n name) (uint64, bool) {
	if number, ok := y.ofNames[n]; ok {
		return number, true
	}
	return y.number(textOf(n))
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
