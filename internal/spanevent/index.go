package spanevent

import (
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/semconv"
)

// index finds the binding of a key.
type index struct {
	// bindings are in the order of the dialects. screen has a bit for each shape
	// (first, middle and last byte, length) of a known key, so that a span full
	// of http.* attributes costs no look-ups; places is 1 + the binding of the
	// last known key of a shape, from which binding.alike leads to the others.
	bindings []*binding
	screen   [screenBits / 64]uint64
	places   [screenBits]uint16
	// scopes finds the dialect of a scope's exact name, prefixes the rest.
	scopes   map[string]*dialect
	prefixes []scopePrefix
}

// screenBits is large enough that the keys of other conventions rarely share a
// shape with a known one.
const screenBits = 1 << 14

type scopePrefix struct {
	prefix  string
	dialect *dialect
}

var keys = buildIndex(dialects)

func buildIndex(all []*dialect) *index {
	x := &index{scopes: map[string]*dialect{}}
	for i, d := range all {
		d.bit = 1 << i
		for _, b := range d.keys {
			b.dialect = d.bit
			if first := x.find(b.key); first != nil {
				// A key that two dialects share keeps the first one's meaning
				// and counts as both.
				first.dialect |= d.bit
				continue
			}
			x.add(&b)
		}
		d.ownKeyM = make(map[string]*binding, len(d.ownKeys))
		for _, b := range d.ownKeys {
			b.dialect = d.bit
			d.ownKeyM[b.key] = &b
		}
		for _, s := range d.scopes {
			if prefix, ok := strings.CutSuffix(s, "*"); ok {
				x.prefixes = append(x.prefixes, scopePrefix{prefix, d})
			} else {
				x.scopes[s] = d
			}
		}
	}
	return x
}

func shape(key string) uint {
	n := len(key)
	return (uint(key[0])<<9 ^ uint(key[n-1])<<5 ^ uint(key[n/2])<<2 ^ uint(n)) % screenBits
}

func (x *index) add(b *binding) {
	s := shape(b.key)
	if place := x.places[s]; place > 0 {
		b.alike = x.bindings[place-1]
	}
	x.bindings = append(x.bindings, b)
	x.places[s] = uint16(len(x.bindings))
	x.screen[s/64] |= 1 << (s % 64)
}

// screened reports whether a key may have a binding. It is small enough to be
// inlined: most keys get no further.
func (x *index) screened(key string) bool {
	if key == "" {
		return false
	}
	s := shape(key)
	return x.screen[s/64]&(1<<(s%64)) != 0
}

// find returns the binding of a key, nil when it has none.
func (x *index) find(key string) *binding {
	if !x.screened(key) {
		return nil
	}
	b := x.bindings[x.places[shape(key)]-1]
	for b != nil && b.key != key {
		b = b.alike
	}
	return b
}

// scope returns the dialect that writes under an instrumentation scope, nil
// when the scope does not tell.
func (x *index) scope(name string) *dialect {
	if d, ok := x.scopes[name]; ok {
		return d
	}
	for _, p := range x.prefixes {
		if strings.HasPrefix(name, p.prefix) {
			return p.dialect
		}
	}
	return nil
}

// collect makes the one pass over a span's attributes. It returns nil when none
// of them means anything.
func (x *index) collect(own *dialect, attrs pcommon.Map, metadata bool) *facts {
	var f *facts
	for key, v := range attrs.All() {
		var b *binding
		if x.screened(key) {
			b = x.find(key)
		}
		if own != nil && own.ownKeyM != nil {
			if ownKey := own.ownKeyM[key]; ownKey != nil {
				b = ownKey
			}
		}
		if b == nil && (!metadata || len(key) <= len(semconv.SessionMetadataPrefix) || key[0] != semconv.SessionMetadataPrefix[0]) {
			continue
		}
		if f == nil {
			f = newFacts()
		}
		if b != nil {
			f.take(b, v)
		} else if name, ok := strings.CutPrefix(key, semconv.SessionMetadataPrefix); ok {
			if f.metadata == nil {
				f.metadata = map[string]any{}
			}
			f.metadata[name] = metadataValue(v.AsRaw())
		}
	}
	return f
}

func (f *facts) take(b *binding, v pcommon.Value) {
	f.seen |= b.dialect
	f.bound++
	undecided := f.implied == kindUnknown && !f.ignored
	if b.implies != kindUnknown && f.implied == kindUnknown {
		f.implied = b.implies
	}
	switch {
	case b.expand != nil:
		b.expand(f, v)
	case b.field != fieldNothing:
		f.set(b.field, b.rank, v)
	}
	if undecided && (f.implied != kindUnknown || f.ignored) {
		f.decidedBy = dialects[bits.TrailingZeros64(b.dialect)]
	}
}

// dialectsOf appends the dialects seen on a span to buf, the scope's own first.
func dialectsOf(buf []*dialect, own *dialect, seen uint64) []*dialect {
	if own != nil {
		buf = append(buf, own)
		seen &^= own.bit
	}
	for ; seen != 0; seen &= seen - 1 {
		buf = append(buf, dialects[bits.TrailingZeros64(seen)])
	}
	return buf
}
