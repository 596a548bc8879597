package agentlensprocessor

import (
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
)

// located turns what an engine says is wrong, such as rules[0].limit, into
// errors with the path in the collector's configuration: under the prefix
// alerts that is `alerts::rules::0::limit`.
func located(prefix string, err error) []error {
	if err == nil {
		return nil
	}
	var out []error
	for _, e := range fieldErrors(err) {
		path := strings.NewReplacer("[", "::", "]", "", ".", "::").Replace(e.Field)
		out = append(out, &analysis.FieldError{Field: "`" + prefix + "::" + path + "`", Value: e.Value, Want: e.Want})
	}
	if out == nil {
		out = append(out, fmt.Errorf("`%s`: %w", prefix, err))
	}
	return out
}

// fieldErrors returns the FieldErrors that err wraps or joins, in their order.
func fieldErrors(err error) []*analysis.FieldError {
	switch e := err.(type) {
	case *analysis.FieldError:
		return []*analysis.FieldError{e}
	case interface{ Unwrap() error }:
		return fieldErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		var out []*analysis.FieldError
		for _, joined := range e.Unwrap() {
			out = append(out, fieldErrors(joined)...)
		}
		return out
	}
	return nil
}
