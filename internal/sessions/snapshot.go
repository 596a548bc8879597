package sessions

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"hash/crc32"
	"io"
)

// The format of a snapshot is a sequence of chunks: one a shard, one a set of
// span ids, one of the traces' sessions. A chunk is a header of 14 bytes, which
// are snapshotMagic, the version, the length of the body and its CRC-32
// (IEEE), the numbers big-endian, and a body in encoding/gob.
const (
	snapshotMagic   = "ALSS"
	snapshotVersion = 4 // 3 had other verdicts
	headerBytes     = 4 + 2 + 4 + 4
	// maxChunkBytes is far more than any chunk has; a length beyond it is not
	// one.
	maxChunkBytes = 1 << 30
)

// SnapshotError says why a snapshot is refused.
type SnapshotError struct {
	// Version is that of the snapshot, 0 when it was not found.
	Version uint16
	Reason  string
	Err     error
}

func (e *SnapshotError) Error() string {
	msg := "session snapshot refused: " + e.Reason
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

func (e *SnapshotError) Unwrap() error { return e.Err }

// chunk is the body of a chunk; one of its lists is set.
type chunk struct {
	Sessions []sessionState
	Spans    []spanKey
	Traces   []traceState
	// Last marks the end, so that a snapshot that lacks some chunks is seen.
	Last bool
}

// Snapshot writes all that the table holds. Each shard is locked only while it
// is copied; sessions that are observed meanwhile are in the snapshot as they
// were or as they are, whole.
func (t *Table) Snapshot(w io.Writer) error {
	for i := range t.shards {
		if err := writeChunk(w, chunk{Sessions: t.shards[i].states(t.made)}); err != nil {
			return fmt.Errorf("sessions: %w", err)
		}
	}
	for i := range t.traces {
		if err := writeChunk(w, chunk{Spans: t.traces[i].spanIDs()}); err != nil {
			return fmt.Errorf("span ids: %w", err)
		}
	}
	if err := writeChunk(w, chunk{Traces: t.traces.bindings(), Last: true}); err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	return nil
}

// Restore fills an empty table with a snapshot. It returns a *SnapshotError,
// and leaves the table empty, when the snapshot is of another version or
// damaged; another error is the reader's.
func (t *Table) Restore(r io.Reader) error {
	var chunks []chunk
	for {
		c, err := readChunk(r)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		chunks = append(chunks, c)
	}
	if len(chunks) == 0 || !chunks[len(chunks)-1].Last {
		return &SnapshotError{Reason: fmt.Sprintf("it ends after %d chunks", len(chunks))}
	}
	for _, c := range chunks {
		for i := range c.Sessions {
			t.restore(&c.Sessions[i])
		}
		for _, k := range c.Spans {
			t.traces.addSpan(k)
		}
		for _, s := range c.Traces {
			t.traces.bind(s.Trace, s.Binding)
		}
	}
	return nil
}

func writeChunk(w io.Writer, c chunk) error {
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(c); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	header := make([]byte, 0, headerBytes)
	header = append(header, snapshotMagic...)
	header = binary.BigEndian.AppendUint16(header, snapshotVersion)
	header = binary.BigEndian.AppendUint32(header, uint32(body.Len()))
	header = binary.BigEndian.AppendUint32(header, crc32.ChecksumIEEE(body.Bytes()))
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(body.Bytes())
	return err
}

// readChunk returns io.EOF at the end of the snapshot.
func readChunk(r io.Reader) (chunk, error) {
	var c chunk
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(r, header); err != nil {
		if err == io.ErrUnexpectedEOF {
			return c, &SnapshotError{Reason: "it is cut short", Err: err}
		}
		return c, err
	}
	if string(header[:4]) != snapshotMagic {
		return c, &SnapshotError{Reason: fmt.Sprintf("it begins with %q, want %q", header[:4], snapshotMagic)}
	}
	version := binary.BigEndian.Uint16(header[4:])
	if version != snapshotVersion {
		return c, &SnapshotError{Version: version, Reason: fmt.Sprintf("it is of version %d, want %d", version, snapshotVersion)}
	}
	size, sum := binary.BigEndian.Uint32(header[6:]), binary.BigEndian.Uint32(header[10:])
	if size > maxChunkBytes {
		return c, &SnapshotError{Version: version, Reason: fmt.Sprintf("a chunk of %d bytes", size)}
	}
	// The length is not trusted with memory before the bytes are there.
	var body bytes.Buffer
	if n, err := io.CopyN(&body, r, int64(size)); err != nil {
		if err == io.EOF {
			return c, &SnapshotError{Version: version, Reason: fmt.Sprintf("a chunk has %d bytes, want %d", n, size), Err: io.ErrUnexpectedEOF}
		}
		return c, err
	}
	if got := crc32.ChecksumIEEE(body.Bytes()); got != sum {
		return c, &SnapshotError{Version: version, Reason: fmt.Sprintf("a checksum is %08x, want %08x", got, sum)}
	}
	if err := gob.NewDecoder(&body).Decode(&c); err != nil {
		return c, &SnapshotError{Version: version, Reason: "it cannot be decoded", Err: err}
	}
	for i := range c.Sessions {
		if !c.Sessions[i].valid() {
			return c, &SnapshotError{Version: version, Reason: fmt.Sprintf("session %q holds a call of no known kind", c.Sessions[i].Key)}
		}
	}
	return c, nil
}
