package agentlensprocessor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// stateFormat is the version of what is stored. Another one is refused.
const stateFormat = 1

// stateStore keeps the state over restarts in a storage extension, one entry a
// part. Configuration is not stored: what is taken back is fitted to today's.
type stateStore struct {
	p      *agentLensProcessor
	parts  []statePart
	client storage.Client

	mu   sync.Mutex
	size int64
	at   time.Time
}

// statePart is a part of the state that is stored by itself, so that damage to
// one loses no other.
type statePart struct {
	name string
	save func() ([]byte, error)
	load func([]byte) error
}

func newStateStore(p *agentLensProcessor) *stateStore {
	s := &stateStore{p: p, client: storage.NewNopClient()}
	s.parts = append(s.parts, statePart{"sessions", func() ([]byte, error) {
		var b bytes.Buffer
		err := p.table.Snapshot(&b)
		return b.Bytes(), err
	}, func(b []byte) error { return p.table.Restore(bytes.NewReader(b)) }})
	if e := p.engines.drift; e != nil {
		s.parts = append(s.parts, statePart{"drift", e.snapshot, e.restore})
	}
	if e := p.engines.forecast; e != nil {
		s.parts = append(s.parts, statePart{"forecast", e.snapshot, e.restore})
	}
	if e := p.engines.alerts; e != nil {
		s.parts = append(s.parts, statePart{"alerts", e.snapshot, e.restore})
	}
	return s
}

// open finds the storage and takes back what is there.
func (s *stateStore) open(ctx context.Context, host component.Host) error {
	id := s.p.cfg.Storage
	if id == nil {
		return nil
	}
	extension, ok := host.GetExtensions()[*id]
	if !ok {
		return fmt.Errorf("`storage` is %q, which is not among the extensions of the service", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return fmt.Errorf("`storage` is %q, which is not a storage extension", id)
	}
	client, err := provider.GetClient(ctx, component.KindProcessor, s.p.id, "")
	if err != nil {
		return fmt.Errorf("`storage` %q: %w", id, err)
	}
	s.client = client
	for _, part := range s.parts {
		if err := s.load(ctx, part); err != nil {
			s.p.telemetry.ProcessorAgentlensSnapshotRefused.Add(ctx, 1, metric.WithAttributes(attribute.String("part", part.name)))
			s.p.logger.Error("A part of the stored state cannot be taken back; it starts afresh", zap.String("part", part.name), zap.Error(err))
		}
	}
	return nil
}

func (s *stateStore) load(ctx context.Context, part statePart) error {
	stored, err := s.client.Get(ctx, part.name)
	if err != nil || stored == nil {
		return err
	}
	payload, err := unseal(stored)
	if err != nil {
		return err
	}
	return part.load(payload)
}

// saveUntil stores the state every interval until ctx is done.
func (s *stateStore) saveUntil(ctx context.Context) {
	if s.p.cfg.Storage == nil {
		return
	}
	ticker := time.NewTicker(s.p.cfg.SnapshotInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.save(ctx); err != nil && ctx.Err() == nil {
				s.p.logger.Error("The state cannot be stored", zap.Error(err))
			}
		}
	}
}

// save stores all parts at once.
func (s *stateStore) save(ctx context.Context) error {
	ops := make([]*storage.Operation, 0, len(s.parts))
	var size int64
	for _, part := range s.parts {
		payload, err := part.save()
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		sealed := seal(payload)
		size += int64(len(sealed))
		ops = append(ops, storage.SetOperation(part.name, sealed))
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size, s.at = size, s.p.now()
	return nil
}

// last returns the size in bytes and the time of what was stored last.
func (s *stateStore) last() (int64, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size, s.at
}

// close stores the state a last time.
func (s *stateStore) close(ctx context.Context) error {
	if s.p.cfg.Storage == nil {
		return nil
	}
	return errors.Join(s.save(ctx), s.client.Close(ctx))
}

// seal puts the format's version and a checksum before a part.
func seal(payload []byte) []byte {
	header := fmt.Sprintf("agentlens-state %d %08x\n", stateFormat, crc32.ChecksumIEEE(payload))
	return append([]byte(header), payload...)
}

// unseal returns the part that seal was given.
func unseal(sealed []byte) ([]byte, error) {
	header, payload, ok := bytes.Cut(sealed, []byte("\n"))
	var version int
	var sum uint32
	if _, err := fmt.Sscanf(string(header), "agentlens-state %d %x", &version, &sum); !ok || err != nil {
		return nil, errors.New("it does not begin as a stored state does")
	}
	if version != stateFormat {
		return nil, fmt.Errorf("it is of format %d, want %d", version, stateFormat)
	}
	if crc32.ChecksumIEEE(payload) != sum {
		return nil, errors.New("its checksum is wrong")
	}
	return payload, nil
}
