package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step of the schema. A released one never changes.
type migration struct {
	version int
	name    string
	sql     string
}

// migrate applies the migrations that the database has not seen, each in its
// own transaction. PRAGMA user_version holds the number of the last one.
func migrate(ctx context.Context, db *sql.DB) error {
	all, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return apply(ctx, db, all)
}

func apply(ctx context.Context, db *sql.DB, all []migration) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if newest := all[len(all)-1].version; version > newest {
		return fmt.Errorf("the database has schema version %d, this program knows %d at most: use a newer agentlens, or another directory", version, newest)
	}
	for _, m := range all {
		if m.version <= version {
			continue
		}
		if err := m.apply(ctx, db); err != nil {
			return fmt.Errorf("apply migration %s: %w", m.name, err)
		}
	}
	return nil
}

func (m migration) apply(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	// PRAGMA takes no bound values.
	if _, err := tx.ExecContext(ctx, `PRAGMA user_version = `+strconv.Itoa(m.version)); err != nil {
		return err
	}
	return tx.Commit()
}

// migrations reads the files NNNN_name.sql, in the order of their numbers,
// which run from 1 without a gap.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := make([]migration, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		base := path.Base(name)
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration file %q: want number %04d", base, i+1)
		}
		all[i] = migration{version, base, string(text)}
	}
	return all, nil
}
