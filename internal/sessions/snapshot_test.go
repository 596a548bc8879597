package sessions

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ignore(*Session, Event) {}

// Wherever a stream is interrupted, a table restored from its snapshot goes on
// as the first would have, span ids and traces' sessions included.
func TestSnapshotContinues(t *testing.T) {
	for _, name := range captureNames(t) {
		readings := readCapture(t, name)
		want := states(assembled(readings))
		for _, cut := range []int{1, len(readings) / 2, len(readings) - 1} {
			now := time.Unix(0, 0)
			first := NewTable(testLimits)
			for _, r := range readings[:cut] {
				first.Observe(&r, Service{}, now, ignore, ignore)
			}
			var snapshot bytes.Buffer
			require.NoError(t, first.Snapshot(&snapshot))
			second := NewTable(testLimits)
			require.NoError(t, second.Restore(&snapshot))
			// The sender repeats what it had no answer for.
			for _, r := range readings[max(0, cut-2):] {
				second.Observe(&r, Service{}, now, ignore, ignore)
			}
			require.Equal(t, want, states(second.finish(now)), "%s, cut at %d", name, cut)
		}
	}
}

func TestSnapshotIsWhatWasRestored(t *testing.T) {
	table := NewTable(testLimits)
	for _, r := range readCapture(t, "otel-openai") {
		table.Observe(&r, Service{Name: "support-bot", Version: "1"}, time.Unix(7, 0), ignore, ignore)
	}
	table.Sweep(time.Unix(7, 0).Add(testLimits.IdleTimeout), func(s *Session, _ Event) { s.Verdict, s.Revision = 7, 3 })
	var first, second bytes.Buffer
	require.NoError(t, table.Snapshot(&first))
	restored := NewTable(testLimits)
	require.NoError(t, restored.Restore(bytes.NewReader(first.Bytes())))
	require.NoError(t, restored.Snapshot(&second))
	assert.True(t, bytes.Equal(first.Bytes(), second.Bytes()))
	open, done := restored.Len()
	assert.Equal(t, []int{0, 1}, []int{open, done})
}

func TestSnapshotRefused(t *testing.T) {
	table := NewTable(testLimits)
	for _, r := range readCapture(t, "otel-openai") {
		table.Observe(&r, Service{}, time.Unix(0, 0), ignore, ignore)
	}
	var whole bytes.Buffer
	require.NoError(t, table.Snapshot(&whole))
	chunkLen := headerBytes + int(binary.BigEndian.Uint32(whole.Bytes()[6:]))
	for name, damage := range map[string]func(b []byte) []byte{
		"empty":         func([]byte) []byte { return nil },
		"other file":    func([]byte) []byte { return []byte("SQLite format 3 and more") },
		"newer version": func(b []byte) []byte { b[5] = snapshotVersion + 1; return b },
		"cut in header": func(b []byte) []byte { return b[:7] },
		"cut in body":   func(b []byte) []byte { return b[:chunkLen-1] },
		"cut at chunk":  func(b []byte) []byte { return b[:chunkLen] },
		"flipped bit":   func(b []byte) []byte { b[chunkLen-1] ^= 1; return b },
		"absurd length": func(b []byte) []byte { b[6] = 0xff; return b },
		"not gob": func(b []byte) []byte {
			body := b[headerBytes:chunkLen]
			for i := range body {
				body[i] = 0xff
			}
			binary.BigEndian.PutUint32(b[10:], crc32.ChecksumIEEE(body))
			return b
		},
	} {
		restored := NewTable(testLimits)
		err := restored.Restore(bytes.NewReader(damage(bytes.Clone(whole.Bytes()))))
		var refused *SnapshotError
		require.ErrorAs(t, err, &refused, name)
		open, done := restored.Len()
		assert.Zero(t, open+done, name)
	}
}

func TestSnapshotReaderErrorIsItsOwn(t *testing.T) {
	broken := errors.New("disk on fire")
	err := NewTable(testLimits).Restore(io.MultiReader(bytes.NewReader([]byte("ALSS")), errReader{broken}))
	var refused *SnapshotError
	assert.False(t, errors.As(err, &refused))
	assert.ErrorIs(t, err, broken)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func FuzzRestore(f *testing.F) {
	var whole bytes.Buffer
	table := NewTable(testLimits)
	for _, r := range readCapture(f, "otel-openai") {
		table.Observe(&r, Service{}, time.Unix(0, 0), ignore, ignore)
	}
	if err := table.Snapshot(&whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		// Give the mutated body a true checksum, so that it is decoded.
		if len(b) >= headerBytes {
			size := int(binary.BigEndian.Uint32(b[6:]))
			if size <= len(b)-headerBytes {
				binary.BigEndian.PutUint32(b[10:], crc32.ChecksumIEEE(b[headerBytes:headerBytes+size]))
			}
		}
		_ = NewTable(Limits{MaxSessions: 8, IdleTimeout: time.Minute, Retention: time.Minute, MaxSpanIDs: 64}).Restore(bytes.NewReader(b))
	})
}
