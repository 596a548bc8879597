package store

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// settle makes the one event of the call that a span tells.
func (w *writer) settle(sess *session, id string) error {
	group, err := w.group(sess, id)
	if err != nil {
		return err
	}
	front := group.front()
	if front == nil {
		return nil // parts of an event that has not come
	}
	whole := front.event
	for i := range group.copies {
		if c := &group.copies[i]; c != front {
			complete(&whole, &c.event)
		}
	}
	listed := 0
	for i := range group.copies {
		if group.copies[i].seq.OK {
			listed++
		}
	}
	if listed == 1 && front.seq.OK {
		now, err := w.row(sess, front.event.EventID)
		if err != nil {
			return err
		}
		if same, err := sameEvent(now, &whole); same || err != nil {
			return err
		}
	}
	for i := range group.copies {
		if err := w.takeOut(sess, group.copies[i].event.EventID); err != nil {
			return err
		}
	}
	return w.addEvent(sess, &whole, whole.Timestamp.UnixMicro(), value(front.seq))
}

func sameEvent(a, b *wire.Event) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return string(x) == string(y), err
}

// group is all that has been told of one call.
type group struct {
	// copies are in the order of time, and at one time of their ids.
	copies []toldCopy
	// links say which stands behind which.
	links []sameCall
}

type sameCall struct{ behind, front string }

// maxGroup is how many spans of a call are put together, the nearest: a few tell
// a call, and to look at all of a thousand for each would take ever longer. What
// more of them know is left out.
const maxGroup = wire.MaxCopies

const getSeqSQL = `SELECT seq FROM events WHERE session = ? AND event_id = ?`

// A link may be there twice. With OR or UNION, SQLite looks through the session.
const getLinksSQL = `SELECT behind, front FROM same_calls WHERE session = ?1 AND behind = ?2
UNION ALL SELECT behind, front FROM same_calls WHERE session = ?1 AND front = ?2 LIMIT ?3`

// group finds the spans that tell a call, from one of them, and keeps a copy of
// those that were events alone.
func (w *writer) group(sess *session, id string) (*group, error) {
	g := &group{}
	seen := map[string]bool{id: true}
	for todo := []string{id}; len(todo) > 0 && len(g.copies) < maxGroup; todo = todo[1:] {
		rows, err := w.tx.StmtContext(w.ctx, w.stmts.getLinks).QueryContext(w.ctx, sess.row, todo[0], maxGroup)
		links, err := collect(rows, err, func(rows *sql.Rows) (l sameCall, err error) { return l, rows.Scan(&l.behind, &l.front) })
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			for _, next := range [...]string{l.behind, l.front} {
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
		g.links = append(g.links, links...)
		c, err := w.copy(sess, todo[0])
		if err != nil {
			return nil, err
		}
		if c == nil {
			continue
		}
		if err := w.addCopy(sess, c); err != nil {
			return nil, err
		}
		err = w.tx.StmtContext(w.ctx, w.stmts.getSeq).QueryRowContext(w.ctx, sess.row, todo[0]).Scan(into(&c.seq))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		g.copies = append(g.copies, *c)
	}
	slices.SortFunc(g.copies, func(a, b toldCopy) int {
		return cmp.Or(a.event.Timestamp.Compare(b.event.Timestamp.Time), cmp.Compare(a.event.EventID, b.event.EventID))
	})
	return g, nil
}

// front returns the event that stands for the call: one behind no other, the
// first if there are several. It returns nil when no event has come.
func (g *group) front() *toldCopy {
	events := map[string]bool{}
	for i := range g.copies {
		events[g.copies[i].event.EventID] = !g.copies[i].part
	}
	behind := map[string]bool{}
	for _, l := range g.links {
		behind[l.behind] = behind[l.behind] || events[l.front]
	}
	var first *toldCopy
	for i := range g.copies {
		c := &g.copies[i]
		if c.part {
			continue
		}
		if !behind[c.event.EventID] {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

// complete gives an event what only a copy knows of its call, and the cost of the
// one that knows more of the usage: as package sessions does where both come in
// one batch.
func complete(e, from *wire.Event) {
	if from.CostUSD.OK && (!e.CostUSD.OK || detailOf(from) > detailOf(e)) {
		e.CostUSD = from.CostUSD
	}
	for i, to := range counts(e) {
		if known := counts(from)[i]; !to.OK {
			*to = *known
		}
	}
	e.Model, e.Provider = cmp.Or(e.Model, from.Model), cmp.Or(e.Provider, from.Provider)
	fillData(&e.InputData, from.InputData)
	fillData(&e.OutputData, from.OutputData)
	if to, of := e.ToolCall, from.ToolCall; to != nil && of != nil {
		call := *to // the copy's own stays
		fillData(&call.Input, of.Input)
		fillData(&call.Output, of.Output)
		e.ToolCall = &call
	}
}

func fillData(to *json.RawMessage, from json.RawMessage) {
	if *to == nil {
		*to = from
	}
}

func counts(e *wire.Event) [5]*analysis.Opt[int64] {
	return [...]*analysis.Opt[int64]{&e.TokensIn, &e.TokensOut, &e.CacheReadTokens, &e.CacheWriteTokens, &e.ReasoningTokens}
}

// detailOf is how much of its usage an event knows.
func detailOf(e *wire.Event) (n int) {
	for _, c := range counts(e) {
		if c.OK {
			n++
		}
	}
	return n
}
