package agentlensexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pipeline"
)

// The sending queue stores a batch of spans, most of a megabyte with content,
// as one value. file_storage keeps its values in a B+ tree (bbolt) that does not
// split a page with up to four entries, however long they are, and writes a page
// anew when one of them comes or goes: seven times the bytes of a batch on its
// way through the queue, each time into fresh memory. Values of partBytes leave
// such pages small.

const (
	// partBytes costs least: of shorter parts there are too many, of longer ones
	// more is written anew (BenchmarkQueueStorage).
	partBytes = 16_000
	// partsMark begins the value that stands for parts; their length follows.
	// No batch begins so: protobuf has no field 0.
	partsMark = "\x00agentlens parts\x00"
	// maxStored is the length in bytes of the longest value there can be: a
	// longer one is refused, and one that is said to be longer is damaged.
	maxStored = 1 << 30
)

// partsHost is a host whose storage extension id keeps long values in parts.
type partsHost struct {
	component.Host
	id component.ID
}

func (h partsHost) GetExtensions() map[component.ID]component.Component {
	all := maps.Clone(h.Host.GetExtensions())
	if ext, ok := all[h.id].(storage.Extension); ok {
		all[h.id] = partsExtension{ext}
	}
	return all
}

type partsExtension struct{ storage.Extension }

func (e partsExtension) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := e.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	if name != pipeline.SignalTraces.String() {
		return client, nil // not the queue's: its values are short
	}
	return partsClient{client, maxStored}, nil
}

// partsClient keeps values longer than partBytes in parts. It reads what was
// stored without it. Like the queue, its caller must not use a key in two calls
// at once.
type partsClient struct {
	storage.Client
	longest int // maxStored, less in tests
}

func (c partsClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c partsClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c partsClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch reads what the keys hold, and then writes, all of it or nothing.
func (c partsClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	held, err := c.read(ctx, ops)
	if err != nil {
		return err
	}
	var writes []*storage.Operation
	for _, op := range ops {
		before := held[op.Key]
		switch op.Type {
		case storage.Get:
			op.Value = before.value
			continue
		case storage.Set:
			if len(op.Value) > c.longest {
				return fmt.Errorf("a batch of %d bytes cannot be stored, want %d at most: have it sent in smaller ones, or do without `sending_queue::storage`",
					len(op.Value), c.longest)
			}
			size := uint64(0)
			if isLong(op.Value) {
				size = uint64(len(op.Value))
			}
			held[op.Key] = heldValue{op.Value, partsFor(size)}
		case storage.Delete:
			held[op.Key] = heldValue{}
		}
		writes = append(writes, write(op, before.parts)...)
	}
	if len(writes) == 0 {
		return nil
	}
	return c.Client.Batch(ctx, writes...)
}

// isLong reports whether a value is stored in parts. One that looks as if it
// were is, too.
func isLong(value []byte) bool {
	return len(value) > partBytes || bytes.HasPrefix(value, []byte(partsMark))
}

// heldValue is what a key holds. value is only known of keys that are read.
type heldValue struct {
	value []byte
	parts int
}

// read returns what the storage has under the keys of ops.
func (c partsClient) read(ctx context.Context, ops []*storage.Operation) (map[string]heldValue, error) {
	heads := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		heads[i] = storage.GetOperation(op.Key)
	}
	if err := c.Client.Batch(ctx, heads...); err != nil {
		return nil, err
	}
	held := make(map[string]heldValue, len(ops))
	for i, op := range ops {
		h, seen := held[op.Key]
		if seen && (op.Type != storage.Get || h.parts == 0) {
			continue
		}
		h.value = heads[i].Value
		size, ok := partsSize(h.value)
		switch {
		case !ok:
		case size > uint64(c.longest) && op.Type == storage.Get:
			return nil, fmt.Errorf("stored value %q is damaged: it is said to have %d bytes, want %d at most", op.Key, size, c.longest)
		case size <= uint64(c.longest):
			h.parts = partsFor(size)
			if op.Type == storage.Get {
				var err error
				if h.value, err = c.join(ctx, op.Key, size); err != nil {
					return nil, err
				}
			}
		}
		held[op.Key] = h
	}
	return held, nil
}

// join returns the value of size bytes that is stored in parts.
func (c partsClient) join(ctx context.Context, key string, size uint64) ([]byte, error) {
	parts := make([]*storage.Operation, partsFor(size))
	for i := range parts {
		parts[i] = storage.GetOperation(partKey(key, i))
	}
	if err := c.Client.Batch(ctx, parts...); err != nil {
		return nil, err
	}
	length := uint64(0)
	for _, part := range parts {
		length += uint64(len(part.Value))
	}
	if length != size {
		return nil, fmt.Errorf("stored value %q has %d bytes, want %d", key, length, size)
	}
	value := make([]byte, 0, size)
	for _, part := range parts {
		value = append(value, part.Value...)
	}
	return value, nil
}

// write returns the operations that op becomes when its key holds so many
// parts.
func write(op *storage.Operation, before int) []*storage.Operation {
	var ops []*storage.Operation
	n := 0
	switch {
	case op.Type == storage.Delete:
		ops = append(ops, storage.DeleteOperation(op.Key))
	case !isLong(op.Value):
		ops = append(ops, op)
	default:
		ops = append(ops, storage.SetOperation(op.Key, binary.BigEndian.AppendUint64([]byte(partsMark), uint64(len(op.Value)))))
		for part := range slices.Chunk(op.Value, partBytes) {
			ops = append(ops, storage.SetOperation(partKey(op.Key, n), part))
			n++
		}
	}
	for ; n < before; n++ {
		ops = append(ops, storage.DeleteOperation(partKey(op.Key, n)))
	}
	return ops
}

// partsSize returns the length of a value that is stored in parts; false for
// any other.
func partsSize(head []byte) (uint64, bool) {
	size, ok := bytes.CutPrefix(head, []byte(partsMark))
	if !ok || len(size) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(size), true
}

func partsFor(size uint64) int { return int((size + partBytes - 1) / partBytes) }

// partKey sorts behind its value's key and before the next number.
func partKey(key string, n int) string { return fmt.Sprintf("%s/%06d", key, n) }
