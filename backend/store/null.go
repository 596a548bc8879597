package store

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
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

// jsonOrNull returns what to bind for v: its JSON, or NULL.
func jsonOrNull[T any](v *T) (any, error) {
	if v == nil {
		return nil, nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// toolCallOrNull writes a tool call with its data as they stand: they are JSON,
// and long, and encoding/json would go over them twice more.
func toolCallOrNull(t *wire.ToolCall) (any, error) {
	if t == nil {
		return nil, nil
	}
	head := *t
	head.Input, head.Output = nil, nil
	text, err := json.Marshal(&head)
	if err != nil {
		return nil, err
	}
	const input, output = `,"tool_input":`, `,"tool_output":`
	var b strings.Builder
	b.Grow(len(text) + len(input) + len(t.Input) + len(output) + len(t.Output))
	b.Write(text[:len(text)-1]) // it has an id and a name
	if len(t.Input) > 0 {
		b.WriteString(input)
		b.Write(t.Input)
	}
	if len(t.Output) > 0 {
		b.WriteString(output)
		b.Write(t.Output)
	}
	b.WriteByte('}')
	return b.String(), nil
}
