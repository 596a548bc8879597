package spanevent

import (
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/semconv"
)

// kind is what a span is, in the reader's own words.
type kind uint8

const (
	kindUnknown kind = iota
	kindLLM
	kindEmbeddings
	kindRetrieval
	kindTool
	// kindWrapper surrounds spans that tell the events; kindNone is GenAI
	// bookkeeping that is not even that.
	kindWrapper
	kindNone
)

// dialect says how one library or convention writes GenAI spans. It is data:
// to read another dialect, add one file with one of these and list it in
// dialects.
type dialect struct {
	name string
	// scopes are the instrumentation scopes that write it; a trailing * makes
	// one a prefix.
	scopes []string
	// keys says what its attributes mean.
	keys []binding
	// ownKeys are keys too common to be read unless the scope is the dialect's.
	ownKeys []binding
	// kinds translates the values of fieldKind.
	kinds map[string]kind
	// names translates span names, for a dialect's own scope, when no
	// attribute says what the span is.
	names map[string]kind
	// exclusive marks input tokens that do not include the cached ones.
	exclusive bool
	// finish mends what tables cannot say. It may be nil.
	finish func(f *facts, span ptrace.Span, r *Reading)

	bit     uint32
	ownKeyM map[string]binding
}

// binding gives a key its meaning.
type binding struct {
	key   string
	field field
	// rank decides between keys of one meaning: the lower wins.
	rank uint8
	// expand, when set, reads fields out of a value that holds several.
	expand func(f *facts, v pcommon.Value)

	dialect uint32 // bits of the dialects it belongs to
}

// Ranks of bindings. A current gen_ai value is never overridden.
const (
	rankCurrent uint8 = iota * 10
	rankForeign
	rankOld
)

// index finds the binding of a key.
type index struct {
	exact map[string]binding
	// screen has a bit for each shape (first byte, last byte, length) of a
	// known key, so that a span full of http.* attributes costs no look-ups.
	screen [1024 / 64]uint64
	// scopes finds the dialect of a scope's exact name, prefixes the rest.
	scopes   map[string]*dialect
	prefixes []scopePrefix
}

type scopePrefix struct {
	prefix  string
	dialect *dialect
}

var keys = buildIndex(dialects)

func buildIndex(all []*dialect) *index {
	x := &index{exact: map[string]binding{}, scopes: map[string]*dialect{}}
	for i, d := range all {
		d.bit = 1 << i
		for _, b := range d.keys {
			b.dialect = d.bit
			if old, ok := x.exact[b.key]; ok {
				// A key that two dialects share keeps the first one's meaning
				// and counts as both.
				old.dialect |= d.bit
				b = old
			}
			x.exact[b.key] = b
			x.screen[shape(b.key)/64] |= 1 << (shape(b.key) % 64)
		}
		d.ownKeyM = make(map[string]binding, len(d.ownKeys))
		for _, b := range d.ownKeys {
			b.dialect = d.bit
			d.ownKeyM[b.key] = b
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
	return (uint(key[0])*131 + uint(key[n-1])*31 + uint(n)*7) % 1024
}

func (x *index) find(key string) (binding, bool) {
	if key == "" {
		return binding{}, false
	}
	if s := shape(key); x.screen[s/64]&(1<<(s%64)) == 0 {
		return binding{}, false
	}
	b, ok := x.exact[key]
	return b, ok
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

// collect makes the one pass over a span's attributes.
func (x *index) collect(f *facts, own *dialect, attrs pcommon.Map) {
	for key, v := range attrs.All() {
		b, ok := x.find(key)
		if !ok && own != nil {
			b, ok = own.ownKeyM[key]
		}
		if ok {
			f.seen |= b.dialect
			if b.expand != nil {
				b.expand(f, v)
			} else {
				f.set(b.field, b.rank, v)
			}
			continue
		}
		if name, ok := strings.CutPrefix(key, semconv.SessionMetadataPrefix); ok {
			if f.metadata == nil {
				f.metadata = map[string]any{}
			}
			f.metadata[name] = metadataValue(v.AsRaw())
		}
	}
}

// dialectsOf yields the dialects seen on a span, the scope's own first.
func dialectsOf(own *dialect, seen uint32) []*dialect {
	var buf [4]*dialect
	out := buf[:0]
	if own != nil {
		out = append(out, own)
		seen &^= own.bit
	}
	for ; seen != 0; seen &= seen - 1 {
		out = append(out, dialects[bits.TrailingZeros32(seen)])
	}
	return out
}
