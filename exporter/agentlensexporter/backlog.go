package agentlensexporter

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

const (
	// maxWaiting is how many posts can wait.
	maxWaiting = 10_000
	// ringSize is how many posts are remembered, waiting or not, to post each
	// once.
	ringSize = 2 * maxWaiting
)

// post is one request of the annotator: tags of a session, or an annotation.
type post struct {
	SessionID string           `json:"session_id"`
	Tag       string           `json:"tag,omitempty"`
	Note      *wire.Annotation `json:"note,omitempty"`
}

type postID [16]byte

func (p *post) id() postID {
	h := sha256.New()
	fmt.Fprintf(h, "%q%q", p.SessionID, p.Tag)
	if p.Note != nil {
		fmt.Fprintf(h, "%q%q", p.Note.EventID, p.Note.Text)
	}
	return postID(h.Sum(nil)[:16])
}

// backlog holds the posts that wait, in order, and the ids of those before
// them: a ring of which [head, tail) waits. With storage it is the same after a
// restart. Each post has one slot in storage, and head and tail one key each.
type backlog struct {
	storage storage.Client // nil = memory only

	mu         sync.Mutex
	head, tail int64
	ids        [ringSize]postID
	waiting    map[int64]post // by position in [head, tail)
	seen       map[postID]bool
	// more has a value when something may wait.
	more chan struct{}
}

// record is a slot in storage.
type record struct {
	ID []byte `json:"id"`
	// Post is nil once it has been delivered.
	Post *post `json:"post,omitempty"`
}

// openStorage returns the storage that the sending queue is configured with,
// nil when there is none.
func openStorage(ctx context.Context, host component.Host, cfg *Config, id component.ID) (storage.Client, error) {
	where := cfg.storage()
	if where == nil {
		return nil, nil
	}
	ext, ok := host.GetExtensions()[*where]
	if !ok {
		return nil, fmt.Errorf("`sending_queue::storage`: there is no extension %q", where)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("`sending_queue::storage`: extension %q is no storage", where)
	}
	client, err := provider.GetClient(ctx, component.KindExporter, id, "findings")
	if err != nil {
		return nil, fmt.Errorf("`sending_queue::storage`: %w", err)
	}
	return client, nil
}

// newBacklog returns the backlog that storage holds, or an empty one. What it
// cannot read of storage it leaves out, and returns as an error beside the
// backlog.
func newBacklog(ctx context.Context, client storage.Client) (*backlog, error) {
	b := &backlog{storage: client, waiting: map[int64]post{}, seen: map[postID]bool{}, more: make(chan struct{}, 1)}
	if client == nil {
		return b, nil
	}
	if err := b.load(ctx); err != nil {
		return b, fmt.Errorf("read the findings that were waiting: %w", err)
	}
	return b, nil
}

func (b *backlog) load(ctx context.Context) error {
	var ends [2]int64
	for i, key := range [...]string{keyHead, keyTail} {
		text, err := b.storage.Get(ctx, key)
		if err != nil {
			return err
		}
		if text == nil {
			return nil
		}
		if ends[i], err = strconv.ParseInt(string(text), 10, 64); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	head, tail := ends[0], ends[1]
	if head < 0 || tail < head || tail-head > maxWaiting {
		return fmt.Errorf("%d to %d posts cannot be", head, tail)
	}
	first := max(0, tail-ringSize)
	ops := make([]*storage.Operation, 0, tail-first)
	for i := first; i < tail; i++ {
		ops = append(ops, storage.GetOperation(slotKey(i)))
	}
	if err := b.storage.Batch(ctx, ops...); err != nil {
		return err
	}
	b.head, b.tail = head, tail
	var unreadable error
	for i := first; i < tail; i++ {
		var r record
		if err := json.Unmarshal(ops[i-first].Value, &r); err != nil || len(r.ID) != len(postID{}) {
			unreadable = fmt.Errorf("post %d is not what was written", i)
			continue
		}
		id := postID(r.ID)
		b.ids[i%ringSize], b.seen[id] = id, true
		if i >= head && r.Post != nil {
			b.waiting[i] = *r.Post
		}
	}
	b.signal()
	return unreadable
}

// add appends the posts that were not there before, as far as there is room,
// and returns how many found none. An error of storage is returned; the posts
// then wait in memory.
func (b *backlog) add(ctx context.Context, posts []post) (full int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ops []*storage.Operation
	for i := range posts {
		id := posts[i].id()
		if b.seen[id] {
			continue
		}
		if b.tail-b.head >= maxWaiting {
			full++
			continue
		}
		if b.tail >= ringSize {
			delete(b.seen, b.ids[b.tail%ringSize])
		}
		b.ids[b.tail%ringSize], b.seen[id], b.waiting[b.tail] = id, true, posts[i]
		ops = append(ops, b.slot(b.tail, id, &posts[i])...)
		b.tail++
	}
	b.signal()
	if len(ops) == 0 {
		return full, nil
	}
	return full, b.storage.Batch(ctx, append(ops, number(keyHead, b.head), number(keyTail, b.tail))...)
}

// next returns the post that has waited longest; false when none waits.
func (b *backlog) next() (post, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.head < b.tail {
		if p, ok := b.waiting[b.head]; ok {
			return p, true
		}
		b.head++ // it could not be read
	}
	return post{}, false
}

// done takes the post that next returned out of those that wait.
func (b *backlog) done(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.head
	delete(b.waiting, at)
	b.head++
	ops := b.slot(at, b.ids[at%ringSize], nil)
	if len(ops) == 0 {
		return nil
	}
	return b.storage.Batch(ctx, append(ops, number(keyHead, b.head))...)
}

// len returns how many posts wait.
func (b *backlog) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.tail - b.head)
}

func (b *backlog) close(ctx context.Context) error {
	if b.storage == nil {
		return nil
	}
	return b.storage.Close(ctx)
}

func (b *backlog) signal() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

const keyHead, keyTail = "head", "tail"

func slotKey(at int64) string { return "post/" + strconv.FormatInt(at%ringSize, 10) }

// slot returns the operation that writes a slot; none without storage.
func (b *backlog) slot(at int64, id postID, p *post) []*storage.Operation {
	if b.storage == nil {
		return nil
	}
	text, err := json.Marshal(record{ID: id[:], Post: p})
	if err != nil {
		return nil // strings only: it always marshals
	}
	return []*storage.Operation{storage.SetOperation(slotKey(at), text)}
}

func number(key string, n int64) *storage.Operation {
	return storage.SetOperation(key, strconv.AppendInt(nil, n, 10))
}
