package pricing

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// matchJSON is a rule of the table about a name. Exactly one key is set.
type matchJSON struct {
	Or         []*matchJSON `json:"or,omitempty"`
	And        []*matchJSON `json:"and,omitempty"`
	Equals     *string      `json:"equals,omitempty"`
	StartsWith *string      `json:"starts_with,omitempty"`
	EndsWith   *string      `json:"ends_with,omitempty"`
	Contains   *string      `json:"contains,omitempty"`
	Regex      *string      `json:"regex,omitempty"`
}

// matcher reports whether a lower-cased name fits.
type matcher func(name string) bool

// rules tells which of an ordered list of things a name means: the first whose
// rule it fits. Names that are spelled out, most of them, are found in a map;
// the rest are tried in order.
type rules struct {
	equal map[string]int
	other []rule
}

type rule struct {
	index int
	fits  matcher
}

// add puts the rule of the thing with the next index behind those before it.
func (r *rules) add(index int, m *matchJSON) error {
	alternatives := []*matchJSON{m}
	if m.keys() == 1 && m.Or != nil {
		alternatives = m.Or
	}
	for _, a := range alternatives {
		fits, err := a.compile()
		if err != nil {
			return err
		}
		if a.Equals == nil {
			r.other = append(r.other, rule{index, fits})
			continue
		}
		if r.equal == nil {
			r.equal = make(map[string]int)
		}
		if name := strings.ToLower(*a.Equals); !has(r.equal, name) {
			r.equal[name] = index
		}
	}
	return nil
}

// find returns the index of the first thing that a lower-cased name fits.
func (r *rules) find(name string) (int, bool) {
	equal, ok := r.equal[name]
	for _, o := range r.other {
		if ok && o.index >= equal {
			break
		}
		if o.fits(name) {
			return o.index, true
		}
	}
	return equal, ok
}

func has(m map[string]int, k string) bool { _, ok := m[k]; return ok }

// keys counts the keys that are set.
func (m *matchJSON) keys() int {
	if m == nil {
		return 0
	}
	n := 0
	for _, set := range [...]bool{
		m.Or != nil, m.And != nil, m.Equals != nil, m.StartsWith != nil,
		m.EndsWith != nil, m.Contains != nil, m.Regex != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

func (m *matchJSON) compile() (matcher, error) {
	if n := m.keys(); n != 1 {
		return nil, fmt.Errorf("match has %d known keys, want one of or, and, equals, starts_with, ends_with, contains, regex", n)
	}
	operand := func(s *string) string { return strings.ToLower(*s) }
	switch {
	case m.Or != nil:
		all, err := compileAll(m.Or)
		return func(name string) bool {
			return slices.ContainsFunc(all, func(f matcher) bool { return f(name) })
		}, err
	case m.And != nil:
		all, err := compileAll(m.And)
		return func(name string) bool {
			return !slices.ContainsFunc(all, func(f matcher) bool { return !f(name) })
		}, err
	case m.Equals != nil:
		v := operand(m.Equals)
		return func(name string) bool { return name == v }, nil
	case m.StartsWith != nil:
		v := operand(m.StartsWith)
		return func(name string) bool { return strings.HasPrefix(name, v) }, nil
	case m.EndsWith != nil:
		v := operand(m.EndsWith)
		return func(name string) bool { return strings.HasSuffix(name, v) }, nil
	case m.Contains != nil:
		v := operand(m.Contains)
		return func(name string) bool { return strings.Contains(name, v) }, nil
	default:
		return compileRegex(*m.Regex)
	}
}

func compileAll(rules []*matchJSON) ([]matcher, error) {
	all := make([]matcher, len(rules))
	for i, r := range rules {
		f, err := r.compile()
		if err != nil {
			return nil, err
		}
		all[i] = f
	}
	return all, nil
}

// compileRegex compiles a JavaScript pattern as far as the table needs it. RE2
// has no lookahead, so a negative one at the very start, the only kind the
// table uses, becomes a pattern of its own that must not match.
func compileRegex(pattern string) (matcher, error) {
	const lookahead = "^(?!"
	rest, ok := strings.CutPrefix(pattern, lookahead)
	if !ok {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("regex %q: %w", pattern, err)
		}
		return re.MatchString, nil
	}
	end := topLevel(rest, ')')
	if end < 0 || topLevel(rest[end+1:], '|') >= 0 {
		return nil, fmt.Errorf("regex %q: want (?!…) first and no | outside a group", pattern)
	}
	not, err := regexp.Compile("^(?:" + rest[:end] + ")")
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", pattern, err)
	}
	then, err := regexp.Compile("^(?:" + rest[end+1:] + ")")
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", pattern, err)
	}
	return func(name string) bool { return !not.MatchString(name) && then.MatchString(name) }, nil
}

// topLevel returns where c first stands outside groups, classes and escapes.
func topLevel(s string, c byte) int {
	depth, class := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case class:
			class = s[i] != ']'
		case s[i] == c && depth == 0:
			return i
		case s[i] == '[':
			class = true
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		}
	}
	return -1
}
