package store

import (
	"database/sql"

	"github.com/agentlens/agentlens-otel/analysis"
)

// value returns what to bind for o: its value, or NULL.
func value[T any](o analysis.Opt[T]) any {
	if !o.OK {
		return nil
	}
	return o.V
}

// textOrNull returns what to bind for s: NULL when it is empty.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// into returns a scanner that sets o, absent for NULL.
func into[T any](o *analysis.Opt[T]) sql.Scanner { return scanner[T]{o} }

type scanner[T any] struct{ to *analysis.Opt[T] }

func (s scanner[T]) Scan(src any) error {
	var n sql.Null[T]
	if err := n.Scan(src); err != nil {
		return err
	}
	*s.to = analysis.Opt[T]{V: n.V, OK: n.Valid}
	return nil
}

// text returns a scanner that sets s, empty for NULL.
func text(s *string) sql.Scanner { return textScanner{s} }

type textScanner struct{ to *string }

func (s textScanner) Scan(src any) error {
	var n sql.NullString
	if err := n.Scan(src); err != nil {
		return err
	}
	*s.to = n.String
	return nil
}
