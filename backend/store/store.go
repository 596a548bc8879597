package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNotFound is returned for a session that the store does not have.
var ErrNotFound = errors.New("session not found")

// ErrFull is returned by a write for which there is no room. Nothing of the
// write is stored.
var ErrFull = errors.New("disk full")

// readers is how many reads run at once; a read beyond waits.
const readers = 4

// Store is an open database. Its methods may be called concurrently.
type Store struct {
	path  string
	write *sql.DB // one connection
	read  *sql.DB
	stmts statements
	// turn is held by the one write that runs.
	turn chan struct{}
	// recent are the sessions that Ingest has read; they belong to who holds
	// turn.
	recent map[string]*session
	// now is replaced by tests.
	now func() time.Time
}

// Open opens the database file at path, and makes it and its folder when they
// are missing, readable to this user only: it holds prompts and answers. The
// schema is brought up to date; a file of a newer version is an error.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	s := &Store{path: path, now: time.Now, turn: make(chan struct{}, 1), recent: map[string]*session{}}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Close waits for running reads and writes and closes the file.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	// The writer goes last: the last connection to close folds the log into
	// the file, which a reader may not.
	if s.write != nil {
		errs = append(errs, s.stmts.close(), s.write.Close())
	}
	return errors.Join(errs...)
}

// Ping returns an error when the database cannot be read.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)`).Scan(&one)
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.write, err = sql.Open("sqlite", dsn(s.path, "_txlock=immediate", "_pragma=journal_mode(WAL)")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := s.reclaimable(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	if s.stmts, err = prepare(ctx, s.write); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(s.path, "_pragma=query_only(1)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.rebuildIfNeeded(ctx)
}

// dsn names the file as a URI, so that no character of its path is taken for
// an option.
func dsn(path string, options ...string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true}
	q := "_pragma=busy_timeout(10000)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	for _, o := range options {
		q += "&" + o
	}
	u.RawQuery = q
	return u.String()
}

// create makes an empty file, which SQLite accepts as an empty database and
// whose mode it gives to the files it puts beside it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	return f.Close()
}

// writeTx runs f in one transaction on the write connection. f must leave
// s.recent as the database will be when the transaction is committed.
func (s *Store) writeTx(ctx context.Context, f func(*sql.Tx) error) (err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if err != nil {
			clear(s.recent)
		}
		<-s.turn
	}()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return mapError(err)
	}
	if err := f(tx); err != nil {
		// Rollback's own error adds nothing: the connection is dropped with it.
		_ = tx.Rollback()
		return mapError(err)
	}
	return mapError(tx.Commit())
}

// mapError turns SQLite's "no room" into ErrFull.
func mapError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
