package spanevent

import (
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/semconv"
)

// index finds the binding of a key.
type index struct {
	exact map[string]*binding
	// screen has a bit for each shape (first byte, last byte, length) of a
	// known key, so that a span full of http.* attributes costs no look-ups.
	screen [screenBits / 64]uint64
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
	x := &index{exact: map[string]*binding{}, scopes: map[string]*dialect{}}
	for i, d := range all {
		d.bit = 1 << i
		for _, b := range d.keys {
			b.dialect = d.bit
			if first, ok := x.exact[b.key]; ok {
				// A key that two dialects share keeps the first one's meaning
				// and counts as both.
				first.dialect |= d.bit
				continue
			}
			x.exact[b.key] = &b
			x.screen[shape(b.key)/64] |= 1 << (shape(b.key) % 64)
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

// find returns the binding of a key, nil when it has none.
func (x *index) find(key string) *binding {
	if key == "" {
		return nil
	}
	if s := shape(key); x.screen[s/64]&(1<<(s%64)) == 0 {
		return nil
	}
	return x.exact[key]
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
		b := x.find(key)
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
