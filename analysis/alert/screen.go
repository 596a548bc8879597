package alert

import (
	"bytes"
	"slices"
	"strings"
)

// Screen knows of a text, before content is made of it, that no rule can find
// anything in that. Content is made of text as collectors do it: it is the text
// itself, if that is JSON, or an object {"input": text} or {"output": text} with
// the text as a string, or as the list that it is the JSON of, as encoding/json
// writes them; U+FFFD stands for what is not UTF-8.
type Screen struct{ hints []hint }

// Screen returns the screen for a field of JSON. There is none, and ok is false,
// where no rule looks at the field, where one looks into it by a path, and where
// one has a pattern of which it cannot be said what a text must have.
func (rs *RuleSet) Screen(field string) (s *Screen, ok bool) {
	s = &Screen{}
	for i := range rs.rules {
		for j := range rs.rules[i].nodes {
			n := &rs.rules[i].nodes[j]
			if n.metric.isIn(field) {
				return nil, false
			}
			if !n.match.field.isIn(field) {
				continue
			}
			if n.match.pattern == nil || n.match.field.path != nil {
				return nil, false
			}
			h := n.match.pattern.ofText()
			if h.size() == 0 {
				return nil, false
			}
			s.hints = append(s.hints, h)
		}
	}
	return s, len(s.hints) > 0
}

// isIn reports whether the field is the one of an event with a name, or a path
// into that.
func (f *field) isIn(name string) bool {
	head, _, _ := strings.Cut(f.name, ".")
	return head == name
}

// RulesOut reports whether in content that is made of text, which is an object or
// a list, no pattern can match. Where it is false one may match all the same.
func (s *Screen) RulesOut(text []byte) bool {
	if bytes.Contains(text, []byte(`\u`)) {
		return false // it can be any character
	}
	for i := range s.hints {
		if s.hints[i].in(text) {
			return false
		}
	}
	return true
}

// ofText returns the part of a hint that is in a text if what the hint says is in
// content made of it; an empty one where there is none such.
//
// Content has the bytes of its text one after the other, with others before and
// behind, and in the place of some. A byte that is kept is never replaced, and
// what comes behind it, or stands for what does, begins with one that is not:
// a quote, a bracket, a comma, a colon, a backslash or a byte beyond ASCII. So
// bytes that are kept are side by side in the text when they are in the content,
// if the first of them is in the text at all: it must be one that is not made.
func (h *hint) ofText() hint {
	sets := reversed(h.left)
	begin, end := len(sets), len(sets)+len(h.need)
	for _, b := range h.need {
		var s byteSet
		s.add(b)
		sets = append(sets, s)
	}
	sets = append(sets, h.right...)
	var best hint
	for from := range end {
		to := from
		for to < len(sets) && sets[to].within(&keptBytes) {
			to++
		}
		// The part of the need that is in it.
		first, last := max(from, begin), min(to, end)
		if first < last && to-from > best.size() && !sets[from].meets(&madeBytes) {
			best = hint{need: h.need[first-begin : last-begin], left: reversed(sets[from:first]), right: slices.Clone(sets[last:to])}
		}
	}
	if best.size() > 0 {
		best.prepare()
	}
	return best
}

// keptBytes stand in content for themselves: all of ASCII but control characters,
// what JSON is made of, and what some escape in it.
var keptBytes = func() (kept byteSet) {
	for b := byte('!'); b <= '~'; b++ {
		if strings.IndexByte(`"\/{}[]:,<>&`, b) < 0 {
			kept.add(b)
		}
	}
	return kept
}()

// madeBytes are those kept that may be in content without being in its text: of
// the keys, and of escapes.
var madeBytes = func() (made byteSet) {
	for _, b := range []byte("inputoutput" + "bfnrtu0123456789abcdef") {
		made.add(b)
	}
	return made
}()
