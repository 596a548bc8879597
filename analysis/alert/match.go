package alert

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/agentlens/agentlens-otel/analysis"
)

// operator is an index into operators.
type operator int

var operators = []string{">", ">=", "<", "<=", "==", "!="}

const (
	greater operator = iota
	greaterEqual
	less
	lessEqual
	equal
	notEqual
)

func (op operator) ordered() bool { return op >= greater && op <= lessEqual }

// compare compares numbers or strings, of which neither is NaN.
func compare[T cmp.Ordered](x T, op operator, y T) bool {
	switch op {
	case greater:
		return x > y
	case greaterEqual:
		return x >= y
	case less:
		return x < y
	case lessEqual:
		return x <= y
	case equal:
		return x == y
	default:
		return x != y
	}
}

// matcher says whether a single event matches: by a comparison, or by a
// pattern when there is one.
type matcher struct {
	field   field
	op      operator
	want    value
	pattern *pattern
}

func (m *matcher) matches(e *analysis.Event) bool {
	holds, _ := m.judge(e)
	return holds
}

// judge reports whether the event matches, and whether it says anything of the
// matter at all: an event without the field, or with a value of another type
// there, neither matches nor speaks against it.
func (m *matcher) judge(e *analysis.Event) (matches, speaks bool) {
	switch m.field.kind { // the value wanted is of the same kind, but for JSON
	case text:
		s, ok := m.field.getText(e)
		if !ok || m.pattern != nil {
			return ok && m.pattern.MatchString(s), ok
		}
		return compare(s, m.op, m.want.text), true
	case number:
		x, ok := m.field.getNumber(e)
		return ok && compare(x, m.op, m.want.number), ok
	case boolean:
		return m.judgeTruth(m.field.getTruth(e)), true
	}
	v := m.field.of(e)
	return m.judgeValue(&v)
}

// judgeValue is judge of an event with a value in a field of JSON.
func (m *matcher) judgeValue(v *value) (matches, speaks bool) {
	if m.pattern != nil {
		switch v.kind {
		case text:
			if v.raw != nil {
				return m.pattern.Match(v.raw), true
			}
			return m.pattern.MatchString(v.text), true
		case object:
			if !v.plain {
				v.raw, v.plain = plainJSON(v.raw), true
			}
			return m.pattern.Match(v.raw), true
		}
		return false, false
	}
	if v.kind != m.want.kind {
		return false, false
	}
	switch v.kind {
	case number:
		return compare(v.number, m.op, m.want.number), true
	case text:
		return compare(v.string(), m.op, m.want.text), true
	case boolean:
		return m.judgeTruth(v.truth), true
	}
	return false, false
}

func (m *matcher) judgeTruth(truth bool) bool { return (truth == m.want.truth) == (m.op == equal) }

func (m *matcher) text() string {
	if m.pattern != nil {
		return fmt.Sprintf("%s matches %s", m.field.name, m.pattern)
	}
	var want string
	switch m.want.kind {
	case number:
		want = formatNumber(m.want.number)
	case boolean:
		want = fmt.Sprint(m.want.truth)
	default:
		want = m.want.text
	}
	return fmt.Sprintf("%s %s %s", m.field.name, operators[max(m.op, 0)], want)
}

// toNumber reads the number types that Go, YAML and JSON hand over.
func toNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}

// formatNumber writes numbers as people do, without an exponent where they
// would not use one.
func formatNumber(x float64) string {
	if math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
