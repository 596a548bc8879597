package alert

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// pattern is a regular expression that is only asked where it can match.
// Outputs are long and what patterns look for is rare, and a regular expression
// takes some 20 ns a byte where the search for a fixed text takes one.
type pattern struct {
	*regexp.Regexp
	// need is a text that is part of every match; empty when there is none.
	need     []byte
	needText string
	// left and right say what the bytes beside need have to be, the nearest
	// first.
	left, right []byteSet
	// sieve finds need where it is frequent; nil where it cannot be a help.
	sieve *sieve
}

// frequent is a distance in bytes. To look for the next need takes as long as to
// sieve that many.
const frequent = 100

// byteSet is the bytes that can stand in a place; all below utf8.RuneSelf, or
// a single one.
type byteSet [4]uint64

func (s *byteSet) add(b byte)           { s[b/64] |= 1 << (b % 64) }
func (s *byteSet) contains(b byte) bool { return s[b/64]&(1<<(b%64)) != 0 }

// bits returns the bits that all bytes of the set have alike, and how.
func (s *byteSet) bits() (mask, like byte) {
	all, some := byte(0xff), byte(0)
	for b := range 256 {
		if s.contains(byte(b)) {
			all, some = all&byte(b), some|byte(b)
		}
	}
	mask = ^(all ^ some)
	return mask, all & mask
}

func compilePattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: re}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	parts := sequence(nil, tree)
	for i, part := range parts {
		if need, ok := literal(part); ok {
			left, right := places(reversed(parts[:i]), true), places(parts[i+1:], false)
			if len(left)+len(need)+len(right) > len(p.left)+len(p.need)+len(p.right) {
				p.need, p.needText, p.left, p.right = need, string(need), left, right
			}
		}
	}
	p.sieve = newSieve(p.need, p.left, p.right)
	return p, nil
}

// Match reports whether b contains a match, as regexp.Regexp.Match does.
func (p *pattern) Match(b []byte) bool {
	if len(p.need) == 0 {
		return p.Regexp.Match(b)
	}
	sieved := false
	for at := 0; ; at++ {
		if sieved {
			if at = p.sieve.next(b, at); at < 0 {
				return false
			}
		} else {
			next := bytes.Index(b[at:], p.need)
			if next < 0 {
				return false
			}
			at += next
			sieved = next < frequent && p.sieve != nil
		}
		if p.fits(b, at) {
			return p.Regexp.Match(b)
		}
	}
}

// MatchString is Match of a string.
func (p *pattern) MatchString(s string) bool {
	if len(p.need) == 0 {
		return p.Regexp.MatchString(s)
	}
	return strings.Contains(s, p.needText) && p.Match([]byte(s))
}

// fits reports whether what is beside the need that begins at the given place
// can be part of a match.
func (p *pattern) fits(b []byte, at int) bool {
	end := at + len(p.need)
	if at < len(p.left) || len(b)-end < len(p.right) {
		return false
	}
	for i := range p.left {
		if !p.left[i].contains(b[at-1-i]) {
			return false
		}
	}
	for i := range p.right {
		if !p.right[i].contains(b[end+i]) {
			return false
		}
	}
	return true
}

// sequence appends the parts that follow each other in every match.
func sequence(parts []*syntax.Regexp, re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			parts = sequence(parts, sub)
		}
		return parts
	default:
		return append(parts, re)
	}
}

// literal returns the bytes that part stands for, if it is a fixed text.
// U+FFFD is none: it also matches what is not UTF-8.
func literal(part *syntax.Regexp) ([]byte, bool) {
	if part.Op != syntax.OpLiteral || part.Flags&syntax.FoldCase != 0 || slices.Contains(part.Rune, utf8.RuneError) {
		return nil, false
	}
	return []byte(string(part.Rune)), true
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// maxPlaces bounds how far is looked beside a need.
const maxPlaces = 32

// places returns what the bytes have to be that parts match, as far as it is
// certain how many bytes these are. Leftwards the last byte of a part comes
// first.
func places(parts []*syntax.Regexp, leftwards bool) []byteSet {
	var all []byteSet
	for _, part := range parts {
		sets, whole := placesOf(part, leftwards)
		all = append(all, sets...)
		if !whole || len(all) >= maxPlaces {
			break
		}
	}
	return all[:min(len(all), maxPlaces)]
}

// placesOf is places of one part; whole says that the part has no further bytes.
func placesOf(part *syntax.Regexp, leftwards bool) (sets []byteSet, whole bool) {
	switch part.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
		return nil, true
	case syntax.OpLiteral:
		text, ok := literal(part)
		if leftwards {
			slices.Reverse(text)
		}
		for _, b := range text {
			var s byteSet
			s.add(b)
			sets = append(sets, s)
		}
		return sets, ok
	case syntax.OpCharClass:
		var s byteSet
		for i := 0; i < len(part.Rune); i += 2 {
			if part.Rune[i+1] >= utf8.RuneSelf {
				return nil, false
			}
			for r := part.Rune[i]; r <= part.Rune[i+1]; r++ {
				s.add(byte(r))
			}
		}
		return []byteSet{s}, true
	case syntax.OpPlus:
		sets, _ = placesOf(part.Sub[0], leftwards)
		return sets, false
	case syntax.OpRepeat:
		one, whole := placesOf(part.Sub[0], leftwards)
		if !whole {
			if part.Min == 0 {
				one = nil
			}
			return one, false
		}
		for range min(part.Min, maxPlaces) {
			sets = append(sets, one...)
		}
		return sets, part.Min == part.Max && part.Min <= maxPlaces
	case syntax.OpCapture, syntax.OpConcat:
		subs := part.Sub
		if leftwards {
			subs = reversed(subs)
		}
		for _, sub := range subs {
			one, whole := placesOf(sub, leftwards)
			if sets = append(sets, one...); !whole {
				return sets, false
			}
		}
		return sets, true
	}
	return nil, false
}
