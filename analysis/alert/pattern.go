package alert

import (
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
	hint
}

func compilePattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	var best hint
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	parts := sequence(nil, tree)
	for i, part := range parts {
		if need, ok := literal(part); ok {
			h := hint{need: need, left: places(reversed(parts[:i]), true), right: places(parts[i+1:], false)}
			if h.size() > best.size() {
				best = h
			}
		}
	}
	best.prepare()
	return &pattern{re, best}, nil
}

// Match reports whether b contains a match, as regexp.Regexp.Match does.
func (p *pattern) Match(b []byte) bool {
	return len(b) >= p.size() && p.in(b) && p.Regexp.Match(b)
}

// MatchString is Match of a string.
func (p *pattern) MatchString(s string) bool {
	switch {
	case len(p.need) == 0:
		return p.Regexp.MatchString(s)
	case !strings.Contains(s, p.needText):
		return false
	}
	return p.Match([]byte(s))
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
