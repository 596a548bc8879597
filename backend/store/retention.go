package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Retention says what the store keeps. Zero values keep everything.
type Retention struct {
	// MaxAge is how long after its last sign of life a session is kept.
	MaxAge time.Duration
	// MaxBytes is how large the database may become; above it the sessions that
	// started first go, until it is a twentieth below.
	MaxBytes int64
}

// Removed says what Sweep has deleted.
type Removed struct {
	Sessions, Events int64
	// Bytes is how much smaller the database file has become.
	Bytes int64
}

// sweepBatch is how many sessions are deleted in one transaction: between two,
// waiting batches are stored.
const sweepBatch = 50

// vacuumPages is how many pages are given back in one transaction.
const vacuumPages = 2_000

// Sweep deletes the sessions that r does not keep, with everything said of
// them, and gives the room back to the file system. The sums follow: what is
// deleted is in no total any more.
func (s *Store) Sweep(ctx context.Context, r Retention) (gone Removed, err error) {
	before, err := s.Size(ctx)
	if err != nil {
		return gone, err
	}
	if r.MaxAge > 0 {
		cut := s.now().Add(-r.MaxAge).UnixMicro()
		for {
			n, err := s.deleteSessions(ctx, &gone, ` WHERE max(s.started_at, coalesce(s.ended_at, 0), coalesce(s.last_event, 0)) < ?
ORDER BY s.started_at, s.id LIMIT ?`, cut, sweepBatch)
			if err != nil {
				return gone, err
			}
			if n < sweepBatch {
				break
			}
		}
	}
	if r.MaxBytes > 0 && before.Used > r.MaxBytes {
		for {
			size, err := s.Size(ctx)
			if err != nil {
				return gone, err
			}
			if size.Used <= r.MaxBytes-r.MaxBytes/20 {
				break
			}
			n, err := s.deleteSessions(ctx, &gone, ` ORDER BY s.started_at, s.id LIMIT ?`, sweepBatch)
			if err != nil {
				return gone, err
			}
			if n == 0 {
				break
			}
		}
	}
	if gone.Sessions == 0 {
		return gone, nil
	}
	if err := s.vacuum(ctx); err != nil {
		return gone, fmt.Errorf("vacuum: %w", err)
	}
	after, err := s.Size(ctx)
	gone.Bytes = before.File - after.File
	return gone, err
}

// Size is how much room the database takes, in bytes, without its log.
type Size struct {
	// Used is what rows and indexes take, File what the file does.
	Used, File int64
}

// Size returns how large the database is.
func (s *Store) Size(ctx context.Context) (Size, error) {
	var pages, free, size int64
	err := s.read.QueryRowContext(ctx, `SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).
		Scan(&pages, &free, &size)
	if err != nil {
		return Size{}, fmt.Errorf("size of the database: %w", err)
	}
	return Size{Used: (pages - free) * size, File: pages * size}, nil
}

// deleteSessions deletes the sessions that the end of a query selects, takes
// them out of the sums, and returns how many they were.
func (s *Store) deleteSessions(ctx context.Context, gone *Removed, tail string, args ...any) (n int, err error) {
	var events int64
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		clear(s.recent)
		rows, err := tx.QueryContext(ctx, sessionState+tail, args...)
		old, err := collect(rows, err, func(rows *sql.Rows) (*session, error) { return scanState(rows) })
		if err != nil || len(old) == 0 {
			return err
		}
		sums := newRollup()
		ids := make([]any, len(old))
		for i, sess := range old {
			ids[i] = sess.row
			events += sess.events
			sums.session(&sess.state, -1)
			agent := sess.agentName()
			if err := eachFigures(ctx, tx, sess.row, func(f *figures) { sums.event(agent, f, -1) }); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id IN (?`+strings.Repeat(", ?", len(ids)-1)+`)`, ids...); err != nil {
			return err
		}
		if err := sums.save(ctx, tx, &s.stmts); err != nil {
			return err
		}
		n = len(old)
		return sweepSums(ctx, tx)
	})
	if err != nil {
		return 0, fmt.Errorf("delete old sessions: %w", err)
	}
	gone.Sessions += int64(n)
	gone.Events += events
	return n, nil
}

// vacuum gives free pages back to the file system, a part at a time, and
// folds the log into the file.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		var free int64
		if err := s.write.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&free); err != nil {
			return err
		}
		if free == 0 {
			break
		}
		if err := s.drain(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, vacuumPages)); err != nil {
			return err
		}
		var left int64
		if err := s.write.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&left); err != nil {
			return err
		}
		if left >= free {
			break // somebody reads: next time
		}
	}
	return s.drain(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
}

// drain runs a pragma that works as its rows are read.
func (s *Store) drain(ctx context.Context, pragma string) error {
	rows, err := s.write.QueryContext(ctx, pragma)
	_, err = collect(rows, err, func(*sql.Rows) (struct{}, error) { return struct{}{}, nil })
	return mapError(err)
}

// reclaimable makes free pages of the file something that can be given back
// without writing the whole file again. A file made without that is written
// again once.
func (s *Store) reclaimable(ctx context.Context) error {
	const incremental = 2
	var mode int
	if err := s.write.QueryRowContext(ctx, `PRAGMA auto_vacuum`).Scan(&mode); err != nil {
		return err
	}
	if mode == incremental {
		return nil
	}
	if _, err := s.write.ExecContext(ctx, `PRAGMA auto_vacuum = 2`); err != nil {
		return err
	}
	_, err := s.write.ExecContext(ctx, `VACUUM`)
	return mapError(err)
}

// Limit bounds the file at a number of bytes: a write that needs more returns
// ErrFull, as on a full disk. The bound holds until the store is closed.
func (s *Store) Limit(ctx context.Context, bytes int64) error {
	var size int64
	if err := s.write.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size); err != nil {
		return err
	}
	return s.drain(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, max(1, min(bytes/size, 1<<31))))
}
