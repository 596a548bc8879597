package analysis

import "encoding/json"

// Opt is a value that may be absent. Absent is not zero: a call whose token
// count is unknown is not a call of zero tokens. The zero Opt is absent, and
// its JSON is null (or nothing, with the omitzero tag).
type Opt[T any] struct {
	// V is the value; meaningless unless OK.
	V  T
	OK bool
}

// Some returns a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }

// Get returns the value and whether it is present.
func (o Opt[T]) Get() (T, bool) { return o.V, o.OK }

// Or returns the value, or def when it is absent.
func (o Opt[T]) Or(def T) T {
	if o.OK {
		return o.V
	}
	return def
}

// IsZero reports whether the value is absent; encoding/json's omitzero asks it.
func (o Opt[T]) IsZero() bool { return !o.OK }

// MarshalJSON writes the value, or null when it is absent.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.OK {
		return []byte("null"), nil
	}
	return json.Marshal(o.V)
}

// UnmarshalJSON reads a value; null makes it absent.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	if err := json.Unmarshal(b, &o.V); err != nil {
		return err
	}
	o.OK = true
	return nil
}
