// Package strict decodes policies and rules from YAML and JSON, and says of
// everything it refuses where it stands: an unknown parameter, a parameter of
// the wrong type, a parameter given twice. Decoding goes through mapstructure
// tags, as the collector's own configuration does, so that a rule means the
// same in a file of its own and in a collector's configuration.
//
// The engines below analysis import it; it imports only analysis.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"github.com/agentlens/agentlens-otel/analysis"
)

// maxDepth bounds how deep mappings and lists may nest.
const maxDepth = 100

// YAML decodes one YAML document into out, a pointer to a struct with
// mapstructure tags. What is refused is a *analysis.FieldError, or several
// joined; text that is no YAML is an error of the YAML package.
func YAML(data []byte, out any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var tree any
	if err := dec.Decode(&tree); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return errors.New("yaml: more than one document")
	}
	if err := check(tree, "", 0); err != nil {
		return err
	}
	return Decode(tree, out)
}

// JSON decodes one JSON value into out, as YAML does. Unlike encoding/json it
// refuses a key given twice.
func JSON(data []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	tree, err := jsonValue(dec, "", 0)
	if err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("json: more after the value")
	}
	return Decode(tree, out)
}

// Decode decodes maps, slices and scalars into out, as YAML does.
func Decode(tree, out any) error {
	var meta mapstructure.Metadata
	dec, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:    out,
		Metadata:  &meta,
		MatchName: func(key, field string) bool { return key == field },
	})
	if err != nil {
		return err
	}
	var refused []error
	if err := dec.Decode(tree); err != nil {
		refused = fieldErrors(err, nil)
	}
	for _, path := range meta.Unused {
		refused = append(refused, &analysis.FieldError{
			Field: path, Value: "an unknown parameter", Want: "one of " + strings.Join(siblings(reflect.TypeOf(out), path), ", "),
		})
	}
	return errors.Join(refused...)
}

// fieldErrors flattens what mapstructure reports: the innermost error of each
// path names the field.
func fieldErrors(err error, out []error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			out = fieldErrors(e, out)
		}
		return out
	}
	if e, ok := err.(*mapstructure.DecodeError); ok {
		var inner *mapstructure.DecodeError
		if errors.As(e.Unwrap(), &inner) {
			return fieldErrors(e.Unwrap(), out)
		}
		f := &analysis.FieldError{Field: e.Name(), Value: "unreadable", Want: e.Unwrap().Error()}
		var wrongType *mapstructure.UnconvertibleTypeError
		if errors.As(e.Unwrap(), &wrongType) {
			f.Value, f.Want = fmt.Sprintf("%#v", wrongType.Value), typeName(wrongType.Expected.Type())
		}
		return append(out, f)
	}
	if e := errors.Unwrap(err); e != nil {
		return fieldErrors(e, out)
	}
	return append(out, err)
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	default:
		return "a mapping"
	}
}

// siblings returns the parameters there are where path, such as
// rules[2].limt, names one that there is not.
func siblings(t reflect.Type, path string) []string {
	steps := strings.Split(path, ".")
	for i := 0; ; i++ {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		name, _, _ := strings.Cut(steps[i], "[")
		var names []string
		var next reflect.Type
		for f := range t.Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
			names = append(names, tag)
			if tag == name {
				next = f.Type
			}
		}
		if next == nil || i == len(steps)-1 {
			return names
		}
		t = next
	}
}

// check refuses YAML keys that are no strings, on which mapstructure would
// panic, and what nests too deep.
func check(tree any, path string, depth int) error {
	if depth > maxDepth {
		return tooDeep(path)
	}
	switch tree := tree.(type) {
	case map[any]any:
		for key := range tree {
			if _, ok := key.(string); !ok {
				return &analysis.FieldError{Field: join(path, fmt.Sprint(key)), Value: "not a string", Want: "a parameter's name"}
			}
		}
	case map[string]any:
		for key, value := range tree {
			if err := check(value, join(path, key), depth+1); err != nil {
				return err
			}
		}
	case []any:
		for i, value := range tree {
			if err := check(value, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func tooDeep(path string) error {
	const shown = 60
	if len(path) > shown {
		path = path[:shown] + "…"
	}
	return &analysis.FieldError{Field: path, Value: "nested deeper", Want: fmt.Sprintf("at most %d levels", maxDepth)}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

func jsonValue(dec *json.Decoder, path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, tooDeep(path)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // the decoder has refused any other key
			at := join(path, name)
			value, err := jsonValue(dec, at, depth+1)
			if err != nil {
				return nil, err
			}
			if _, twice := object[name]; twice {
				return nil, &analysis.FieldError{Field: at, Value: "given twice", Want: "one value"}
			}
			object[name] = value
		}
		_, err = dec.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := jsonValue(dec, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}
