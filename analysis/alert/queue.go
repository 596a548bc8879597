package alert

// queue is a first-in first-out list in one array, which it reuses: pushing
// and popping at the ends costs O(1) amortised, and nothing is allocated once
// the array has grown to what the queue holds.
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
func (q *queue[T]) empty()    { q.buf, q.head = q.buf[:0], 0 }
