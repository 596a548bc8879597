package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Price is what a model costs, as the user said, in USD per million tokens.
type Price struct {
	Model         string
	Input, Output float64
	UpdatedAt     time.Time
}

// Prices returns the user's own prices, by model.
func (s *Store) Prices(ctx context.Context) ([]Price, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT model, input, output, updated_at FROM prices ORDER BY model`)
	all, err := collect(rows, err, func(rows *sql.Rows) (p Price, err error) {
		var at int64
		err = rows.Scan(&p.Model, &p.Input, &p.Output, &at)
		p.UpdatedAt = timeOf(at)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list prices: %w", err)
	}
	return all, nil
}

// SetPrices stores prices, all of them or none.
func (s *Store) SetPrices(ctx context.Context, prices []Price) error {
	err := s.writeTx(ctx, func(tx *sql.Tx) error {
		for _, p := range prices {
			if _, err := tx.ExecContext(ctx, `INSERT INTO prices (model, input, output, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET input = excluded.input, output = excluded.output, updated_at = excluded.updated_at`,
				p.Model, p.Input, p.Output, s.now().UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store prices: %w", err)
	}
	return nil
}

// RemovePrice forgets the user's price of a model, and reports whether there
// was one.
func (s *Store) RemovePrice(ctx context.Context, model string) (there bool, err error) {
	err = s.writeTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM prices WHERE model = ?`, model)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		there = n > 0
		return err
	})
	return there, err
}
