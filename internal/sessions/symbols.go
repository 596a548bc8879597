package sessions

import (
	"math"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

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
	recent [1 << recentBits]symbol
	// last are the symbols asked for last by what they were asked for, or what took
	// their place among the recent ones.
	last [uses]*symbol
	// lastTrace is the trace asked for last, lastHash its hash: the spans of a trace
	// come together.
	lastTrace pcommon.TraceID
	lastHash  uint64
	// lastService is the service asked for last.
	lastService unique.Handle[Service]
}

// symbol is a name and its number, if it has one.
type symbol struct {
	name name
	text string
	// scope is the hash of the text as that of a scope.
	scope    uint32
	number   uint16
	numbered bool
}

const (
	// maxSymbols bounds the names, and the services. What comes after them is
	// told as it is.
	maxSymbols = 1024
	// maxSymbol is the longest name that is told by number, in bytes.
	maxSymbol = 64

	recentBits = 8
)

func newSymbols() *symbols {
	y := &symbols{
		numbers: map[string]uint64{"": 0}, names: make([]name, 1), serviceNumbers: map[unique.Handle[Service]]uint64{},
		lastHash: traceHash(pcommon.TraceID{}),
	}
	for i := range y.last {
		y.last[i] = &y.recent[0]
	}
	return y
}

// use is what a text is: most spans say the same there as the one before.
type use uint8

const (
	asScope use = iota
	asAgent
	asModel
	asAnswered
	asTool
	uses
)

// name returns a text as a name.
func (y *symbols) name(s string, as use) name {
	if s == "" || len(s) > maxSymbol {
		return nameOf(s)
	}
	return y.symbol(s, as).name
}

// scope returns the hash of a scope's name.
func (y *symbols) scope(s string) uint32 {
	if s == "" || len(s) > maxSymbol {
		return scopeHash(s)
	}
	return y.symbol(s, asScope).scope
}

// symbol returns the symbol of a text that is neither empty nor too long.
func (y *symbols) symbol(s string, as use) *symbol {
	if y.last[as].text != s {
		y.last[as] = y.lookup(s)
	}
	return y.last[as]
}

// trace returns the hash of a trace's id.
func (y *symbols) trace(id pcommon.TraceID) uint64 {
	if y.lastTrace != id {
		y.lastTrace, y.lastHash = id, traceHash(id)
	}
	return y.lastHash
}

// service returns a service as all sessions share it.
func (y *symbols) service(s Service) unique.Handle[Service] {
	if y.lastService == (unique.Handle[Service]{}) || y.lastService.Value() != s {
		y.lastService = unique.Make(s)
	}
	return y.lastService
}

// number returns the number of a text as a name; false = it has none.
func (y *symbols) number(s string) (uint64, bool) {
	switch {
	case s == "":
		return 0, true
	case len(s) > maxSymbol:
		return 0, false
	}
	found := y.lookup(s)
	return uint64(found.number), found.numbered
}

// unnumbered stands for the number of a name that has none.
const unnumbered = math.MaxUint16

// numberOf returns the number of a name.
func (y *symbols) numberOf(n name, as use) uint16 {
	if n == (name{}) {
		return 0
	}
	found := y.last[as]
	if found.name != n {
		s := n.Value()
		if len(s) > maxSymbol {
			return unnumbered
		}
		if found = &y.recent[slotOf(s)]; found.name != n {
			found = y.lookup(s)
		}
		y.last[as] = found
	}
	if !found.numbered {
		return unnumbered
	}
	return found.number
}

// lookup returns the same out of the recent ones.
func (y *symbols) lookup(s string) *symbol {
	found := &y.recent[slotOf(s)]
	if found.text != s {
		*found = y.enter(s)
	}
	return found
}

// slotOf tells names apart by what they differ in: length, end, middle and
// beginning.
func slotOf(s string) uint32 {
	n := len(s)
	h := uint32(n) | uint32(s[n-1])<<8 | uint32(s[n/2])<<16 | uint32(s[0])<<24
	return h * 0x9e3779b1 >> (32 - recentBits)
}

// enter returns the symbol of a text. One that is new gets a number, if there is
// one left.
func (y *symbols) enter(s string) symbol {
	n, ok := y.numbers[s]
	if !ok {
		// The string may be part of a larger one.
		made := nameOf(s)
		if len(y.names) >= maxSymbols {
			return symbol{name: made, text: textOf(made), scope: scopeHash(s)}
		}
		n = uint64(len(y.names))
		y.names = append(y.names, made)
		y.numbers[textOf(made)] = n
	}
	made := y.names[n]
	return symbol{name: made, text: textOf(made), scope: scopeHash(s), number: uint16(n), numbered: true}
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
