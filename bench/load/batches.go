package load

import "time"

// Batches makes encoded requests for whoever decodes them in the same process:
// sessions that stay open and get more and more spans.
type Batches struct {
	// Sessions is how many sessions share a request, Spans how many spans the
	// request has.
	Sessions, Spans int

	payloads []*payload
}

// NewBatches builds requests of sessions without content.
func NewBatches(sessions int, shapes []Shape) (*Batches, error) {
	b := &Batches{Sessions: sessions}
	w := newWriter(1, Content{})
	for range variants {
		p, err := newPayload(w, sessions, shapes, firstHalf)
		if err != nil {
			return nil, err
		}
		b.payloads, b.Spans = append(b.payloads, p), p.spans
	}
	return b, nil
}

// Get returns the number-th request in the given round: each number is of
// other sessions, each round of other spans of them. The bytes are those of an
// earlier request, overwritten.
func (b *Batches) Get(number, round int, now time.Time) []byte {
	p := b.payloads[(number+round)%variants]
	p.write(uint64(number), b.Sessions, uint64(round), now)
	return p.bytes
}
