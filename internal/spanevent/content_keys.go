package spanevent

import "strings"

// contentKeys finds the keys that hold content, in every dialect.
var contentKeys = buildContentKeys(dialects)

type contentIndex struct {
	// exact keys are content on any span, common ones on GenAI spans.
	exact, common map[string]bool
	// prefixes are found by their first four bytes.
	prefixes map[string][]string
}

const prefixBytes = 4

func buildContentKeys(all []*dialect) *contentIndex {
	x := &contentIndex{exact: map[string]bool{}, common: map[string]bool{"input": true, "output": true, "prompt": true, "completion": true}, prefixes: map[string][]string{}}
	for _, d := range all {
		for _, b := range d.keys {
			if holdsContent(b.field) {
				x.add(b.key)
			}
		}
		for _, b := range d.ownKeys {
			if holdsContent(b.field) {
				x.add(b.key)
			}
		}
		for _, key := range d.content {
			x.add(key)
		}
		for _, prefix := range d.flatInput {
			x.add(prefix + "*")
		}
		for _, prefix := range d.flatOutput {
			x.add(prefix + "*")
		}
	}
	return x
}

// add takes in a key. One without a namespace is a word that others use too.
func (x *contentIndex) add(key string) {
	prefix, ok := strings.CutSuffix(key, "*")
	switch {
	case ok:
		x.prefixes[prefix[:prefixBytes]] = append(x.prefixes[prefix[:prefixBytes]], prefix)
	case strings.ContainsAny(key, ".:"):
		x.exact[key] = true
	default:
		x.common[key] = true
	}
}

func holdsContent(f field) bool {
	switch f {
	case fieldInput, fieldOutput, fieldToolArguments, fieldToolResult, fieldReasoning, fieldAlternatives:
		return true
	}
	return false
}

func isContent(key string, genAI bool) bool {
	if contentKeys.exact[key] || genAI && contentKeys.common[key] {
		return true
	}
	if len(key) < prefixBytes {
		return false
	}
	for _, prefix := range contentKeys.prefixes[key[:prefixBytes]] {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
