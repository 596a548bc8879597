package spanevent

import (
	"math"
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/agentlens/agentlens-otel/semconv"
)

// index finds the binding of a key.
type index struct {
	// bindings are in the order of the dialects. places is 1 + the binding of the
	// first known key with a hash, 0 for none, so that a span full of http.*
	// attributes costs no look-ups; binding.alike leads to the others.
	bindings []binding
	places   [hashes]uint16
	// entries are by place what collect needs of a binding.
	entries [maxBindings + 1]entry
	// finishing has the bits of the dialects with something to finish.
	finishing uint64
	// scopes finds the dialect of a scope's exact name, prefixes the rest by their
	// first byte.
	scopes   map[string]*dialect
	prefixes [256][]scopePrefix
}

// hashes is large enough that few keys of other conventions share one with a
// known key.
const hashes = 1 << 12

// maxBindings is 1 less than a power of two: then a place is known to be one.
const maxBindings = 1<<10 - 1

// entry is what collect needs of a binding that gives a field a value and does no
// more, in one line of memory. told has the bit of the field. The length is 0 where
// a binding does more, and where words do not tell its key from all others.
type entry struct {
	words   words
	told    uint64
	dialect uint64
	length  int
	field   field
	rank    uint8
	// alone says that any other key with the same hash has no binding.
	alone bool
}

type scopePrefix struct {
	prefix  string
	dialect *dialect
}

var keys = buildIndex(dialects)

func buildIndex(all []*dialect) *index {
	x := &index{scopes: map[string]*dialect{}}
	for i, d := range all {
		d.bit = 1 << i
		if d.cumulative || d.finish != nil {
			x.finishing |= d.bit
		}
		for _, b := range d.keys {
			b.dialect = d.bit
			if first := x.find(b.key); first != nil {
				// A key that two dialects share keeps the first one's meaning
				// and counts as both.
				first.dialect |= d.bit
				continue
			}
			x.add(b)
		}
		for _, b := range d.ownKeys {
			if d.ownKeyM == nil {
				d.ownKeyM = make(map[string]*binding, len(d.ownKeys))
			}
			b.dialect = d.bit
			d.ownKeyM[b.key] = &b
			d.ownLengths |= 1 << len(b.key)
		}
		for _, s := range d.scopes {
			if prefix, ok := strings.CutSuffix(s, "*"); ok {
				x.prefixes[prefix[0]] = append(x.prefixes[prefix[0]], scopePrefix{prefix, d})
			} else {
				x.scopes[s] = d
			}
		}
	}
	for i, b := range x.bindings {
		if n := len(b.key); n >= 8 && n <= maxInWords && b.field != fieldNothing && b.implies == kindUnknown && b.expand == nil {
			x.entries[i+1] = entry{words: b.words, told: 1 << b.field, dialect: b.dialect, length: n, field: b.field, rank: b.rank, alone: b.alike == 0}
		}
	}
	return x
}

// words are the eight bytes of a key from its beginning, from its ninth, and before
// its end, and the eight before those, as far as it has so many. Keys of one length
// of up to 32 bytes are the same when their words are.
type words struct{ first, second, third, last uint64 }

const maxInWords = 32

func wordsOf(key string) (w words) {
	n := len(key)
	if n < 8 {
		w.first = wordOfShort(key)
		w.last = w.first
		return w
	}
	w.first, w.last = eight(key, 0), eight(key, n-8)
	if n >= 16 {
		w.second, w.third = eight(key, 8), eight(key, n-16)
	}
	return w
}

// wordOfShort returns the bytes of a key of fewer than eight.
func wordOfShort(key string) (word uint64) {
	for i := range len(key) {
		word = word<<8 | uint64(key[i])
	}
	return word
}

// hash returns the hash of a key with the given ends and length.
func hash(first, last uint64, n int) uint64 {
	return ((first ^ bits.RotateLeft64(last, 30)) + uint64(n)) * 0x9e3779b97f4a7c15 >> (64 - 12) % hashes
}

// add adds a binding behind those with the same hash: the dialects before it are the
// more frequent.
func (x *index) add(b binding) {
	b.words = wordsOf(b.key)
	x.bindings = append(x.bindings, b)
	place := &x.places[hash(b.words.first, b.words.last, len(b.key))]
	for *place > 0 {
		place = &x.bindings[*place-1].alike
	}
	*place = uint16(len(x.bindings))
}

// find returns the binding of a key, nil when it has none.
func (x *index) find(key string) *binding {
	w := wordsOf(key)
	return x.at(x.places[hash(w.first, w.last, len(key))], key)
}

// at returns the binding of a key at a place or alike what is there, nil when it
// has none.
func (x *index) at(place uint16, key string) *binding {
	for place > 0 {
		b := &x.bindings[place-1]
		if b.key == key {
			return b
		}
		place = b.alike
	}
	return nil
}

// scope returns the dialect that writes under an instrumentation scope, nil
// when the scope does not tell.
func (x *index) scope(name string) *dialect {
	if d, ok := x.scopes[name]; ok {
		return d
	}
	if name == "" {
		return nil
	}
	for _, p := range x.prefixes[name[0]] {
		if strings.HasPrefix(name, p.prefix) {
			return p.dialect
		}
	}
	return nil
}

// collect makes the one pass over a span's attributes. Before it f is empty but for
// the scope; after it seen is 0 when no attribute has a binding.
func (f *facts) collect(attrs pcommon.Map) {
	x, slow := keys, f.slowLengths()
	for key, v := range attrs.All() {
		// What nearly all attributes need is done without a call: to look at them is
		// much of what it costs to read a span.
		if n := len(key); n >= 8 && n < 64 && slow>>n&1 == 0 {
			first, last := eight(key, 0), eight(key, n-8)
			place := x.places[hash(first, last, n)]
			if place == 0 {
				continue
			}
			e := &x.entries[place%(maxBindings+1)]
			if n == e.length && first == e.words.first && last == e.words.last &&
				(n <= 16 || eight(key, 8) == e.words.second && (n <= 24 || eight(key, n-16) == e.words.third)) {
				f.seen |= e.dialect
				f.bound++
				if f.told&e.told != 0 && f.ranks[e.field%fields] <= e.rank {
					continue
				}
				f.told |= e.told
				f.values[e.field%fields], f.ranks[e.field%fields] = v, e.rank
				continue
			}
			if e.alone {
				continue
			}
		}
		f.take(key, v)
	}
}

// slowLengths has the bits of the lengths of keys that mean something to the scope
// alone, or may be of metadata that is wanted.
func (f *facts) slowLengths() (slow uint64) {
	if f.withMetadata {
		slow = math.MaxUint64 &^ (2<<len(semconv.SessionMetadataPrefix) - 1)
	}
	if f.scope != nil {
		slow |= f.scope.ownLengths
	}
	return slow
}

// take takes any attribute.
func (f *facts) take(key string, v pcommon.Value) {
	b := keys.find(key)
	if f.scope != nil {
		if own := f.scope.ownKeyM[key]; own != nil {
			b = own
		}
	}
	switch {
	case b != nil:
		f.takeBound(b, v)
	case f.withMetadata && len(key) > len(semconv.SessionMetadataPrefix) && strings.HasPrefix(key, semconv.SessionMetadataPrefix):
		f.takeMetadata(key, v)
	}
}

// takeBound takes an attribute that has a binding.
func (f *facts) takeBound(b *binding, v pcommon.Value) {
	f.seen |= b.dialect
	f.bound++
	if b.implies != kindUnknown || b.expand != nil {
		f.takeKind(b, v)
	} else if b.field != fieldNothing {
		f.set(b.field, b.rank, v)
	}
}

// takeKind takes an attribute that may say what the span is.
func (f *facts) takeKind(b *binding, v pcommon.Value) {
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

// takeMetadata takes an attribute with the prefix of metadata.
func (f *facts) takeMetadata(key string, v pcommon.Value) {
	if f.metadata == nil {
		f.metadata = map[string]any{}
	}
	f.metadata[key[len(semconv.SessionMetadataPrefix):]] = metadataValue(v.AsRaw())
}
