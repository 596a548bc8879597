package agentlens

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	otelsemconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// newID returns a random id in the form of a span id: 16 hex digits.
func newID() string { return fmt.Sprintf("%016x", rand.Uint64()) }

// text makes a string fit for protobuf, which refuses the whole export for one
// string that is not UTF-8.
func text(s string) string {
	if len(s) <= 16 && isASCII(s) || utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// isASCII is for short strings, where utf8.ValidString takes longer.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// texts makes strings fit, in a copy.
func texts(all []string) []string {
	fit := make([]string, len(all))
	for i, s := range all {
		fit[i] = text(s)
	}
	return fit
}

// appendFit appends the caller's attributes, made fit for protobuf.
func appendFit(to, attrs []attribute.KeyValue) []attribute.KeyValue {
	for _, kv := range attrs {
		kv.Key = attribute.Key(text(string(kv.Key)))
		switch kv.Value.Type() {
		case attribute.STRING:
			kv.Value = attribute.StringValue(text(kv.Value.AsString()))
		case attribute.STRINGSLICE:
			kv.Value = attribute.StringSliceValue(texts(kv.Value.AsStringSlice()))
		}
		to = append(to, kv)
	}
	return to
}

// toJSON returns the JSON of user data, nil for nil. A marshaller that fails or
// panics gives an error that names the field.
func toJSON(field string, v any) (json.RawMessage, error) {
	raw, err := capture.EncodeJSON(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return raw, nil
}

// toFailure describes an error: its type as the semantic conventions name it.
func toFailure(failure error) (f *analysis.Failure, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("error: the methods of %T panicked: %v", failure, r)
		}
	}()
	return &analysis.Failure{
		Type:    text(otelsemconv.ErrorType(failure).Value.AsString()),
		Message: text(failure.Error()),
	}, nil
}

// metadata returns the metadata as the spans will carry it, apart from
// the caller's values: strings, booleans, int64 and float64 as they are,
// everything else as what its JSON decodes to. Nil values are left out.
func (c *contents) metadata(metadata map[string]any) (map[string]any, []attribute.KeyValue, error) {
	if len(metadata) == 0 {
		return nil, nil, nil
	}
	normal := make(map[string]any, len(metadata))
	attrs := make([]attribute.KeyValue, 0, len(metadata))
	for key, value := range metadata {
		key = text(key)
		kv, v, err := c.metadataEntry(key, value)
		if err != nil {
			return nil, nil, err
		}
		if v == nil {
			continue
		}
		normal[key] = v
		attrs = append(attrs, kv)
	}
	slices.SortFunc(attrs, func(a, b attribute.KeyValue) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return normal, attrs, nil
}

func (c *contents) metadataEntry(key string, value any) (attribute.KeyValue, any, error) {
	raw, err := toJSON("metadata."+key, value)
	if err != nil || raw == nil {
		return attribute.KeyValue{}, nil, err
	}
	if len(c.policy.Redactors) > 0 {
		raw, err = capture.RedactJSON(raw, func(inner, text string) (string, error) {
			if inner == "" {
				inner = key
			}
			return c.policy.Redact(semconv.SessionMetadataPrefix+key, inner, text)
		})
		if err != nil {
			c.dropped.add(1, err)
			return attribute.KeyValue{}, nil, nil
		}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var decoded any
	if err := dec.Decode(&decoded); err != nil {
		return attribute.KeyValue{}, nil, fmt.Errorf("metadata.%s: %w", key, err)
	}
	name := attribute.Key(semconv.SessionMetadataPrefix + key)
	switch v := decoded.(type) {
	case string:
		return name.String(v), v, nil
	case bool:
		return name.Bool(v), v, nil
	case json.Number:
		if n, err := v.Int64(); err == nil && !isFloat(value) {
			return name.Int64(n), n, nil
		}
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return name.String(v.String()), v.String(), nil
		}
		return name.Float64(f), f, nil
	default:
		var plain any
		if err := json.Unmarshal(raw, &plain); err != nil {
			return attribute.KeyValue{}, nil, fmt.Errorf("metadata.%s: %w", key, err)
		}
		return name.String(string(raw)), plain, nil
	}
}

func isFloat(v any) bool {
	switch v.(type) {
	case float32, float64:
		return true
	}
	return false
}
