package spanevent

import (
	"encoding/json"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// outcome reads an attribute that says how an operation ended.
func outcome(f *facts, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeBool:
		f.failed = f.failed || !v.Bool()
	case pcommon.ValueTypeStr:
		switch strings.ToLower(v.Str()) {
		case "error", "failed", "failure", "false":
			f.failed = true
		}
	}
}

// failure reads an attribute that is there, and not empty, only when the
// operation failed.
func failure(f *facts, v pcommon.Value) {
	if v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
		f.failed = true
		f.set(fieldErrorMessage, rankOld, v)
	}
}

// oneOf reads a key that other conventions use too: it says what a span is only
// with a value out of kinds.
func oneOf(kinds map[string]kind) func(*facts, pcommon.Value) {
	return func(f *facts, v pcommon.Value) {
		if v.Type() != pcommon.ValueTypeStr {
			return
		}
		if k := kinds[v.Str()]; k != kindUnknown && f.implied == kindUnknown {
			f.implied = k
		}
	}
}

// object decodes a value that is a map, or the JSON of an object; nil when it
// is neither.
func object(v pcommon.Value) map[string]any {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return v.Map().AsRaw()
	case pcommon.ValueTypeStr:
		var m map[string]any
		if json.Unmarshal([]byte(v.Str()), &m) == nil {
			return m
		}
	}
	return nil
}

// providerUsage reads the usage of an answer as its provider gives it: OpenAI's
// chat or responses, or Anthropic's, whose input does not include the cached
// tokens.
func providerUsage(f *facts, m map[string]any) {
	for _, key := range [...]string{"prompt_tokens_details", "input_tokens_details"} {
		if details, ok := m[key].(map[string]any); ok {
			f.setCount(fieldCacheRead, rankLast, details, "cached_tokens")
		}
	}
	for _, key := range [...]string{"completion_tokens_details", "output_tokens_details"} {
		if details, ok := m[key].(map[string]any); ok {
			f.setCount(fieldReasoningTokens, rankLast, details, "reasoning_tokens")
		}
	}
	_, read := count(m, "cache_read_input_tokens")
	_, written := count(m, "cache_creation_input_tokens")
	if read || written {
		f.setCount(fieldTokensUncached, rankLast, m, "input_tokens")
		f.setCount(fieldCacheRead, rankLast, m, "cache_read_input_tokens")
		f.setCount(fieldCacheWrite, rankLast, m, "cache_creation_input_tokens")
	} else {
		f.setCount(fieldTokensIn, rankLast, m, "prompt_tokens", "input_tokens")
	}
	f.setCount(fieldTokensOut, rankLast, m, "completion_tokens", "output_tokens")
}

// count returns a number of m as a count; false when it is none.
func count(m map[string]any, key string) (int64, bool) {
	switch n := m[key].(type) {
	case int64:
		return n, n >= 0
	case float64:
		return int64(n), n >= 0 && n == math.Trunc(n) && n < 1<<53
	}
	return 0, false
}

// setCount sets a field to the first count of m that is there.
func (f *facts) setCount(to field, rank uint8, m map[string]any, keys ...string) {
	for _, key := range keys {
		if n, ok := count(m, key); ok {
			f.set(to, rank, pcommon.NewValueInt(n))
			return
		}
	}
}

// setAmount sets a field to a number of m.
func (f *facts) setAmount(to field, rank uint8, m map[string]any, key string) {
	if n, ok := m[key].(float64); ok {
		f.set(to, rank, pcommon.NewValueDouble(n))
	}
}
