package alert

import "encoding/json"

// queue is a first-in first-out list in one array, which it reuses: pushing
// and popping at the ends costs O(1) amortised, and nothing is allocated once
// the array has grown to what the queue holds. Its JSON is the list.
type queue[T any] struct {
	buf  []T
	head int
}

func (q *queue[T]) items() []T { return q.buf[q.head:] }
func (q *queue[T]) len() int   { return len(q.buf) - q.head }

func (q *queue[T]) push(v T) {
	// At most as many move down as have been popped since the last time.
	if len(q.buf) == cap(q.buf) && q.head*2 >= len(q.buf) {
		n := copy(q.buf, q.buf[q.head:])
		q.buf, q.head = q.buf[:n], 0
	}
	q.buf = append(q.buf, v)
}

func (q *queue[T]) popFront() { q.head++ }
func (q *queue[T]) popBack()  { q.buf = q.buf[:len(q.buf)-1] }

// MarshalJSON writes the items.
func (q queue[T]) MarshalJSON() ([]byte, error) { return json.Marshal(q.items()) }

// UnmarshalJSON reads the items.
func (q *queue[T]) UnmarshalJSON(b []byte) error {
	q.head = 0
	return json.Unmarshal(b, &q.buf)
}

// IsZero reports whether the queue is empty; encoding/json's omitzero asks it.
func (q queue[T]) IsZero() bool { return q.len() == 0 }
