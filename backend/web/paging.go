package web

import (
	"net/url"
	"strconv"
)

// Paging says which part of a list a page shows, and leads to the others.
type Paging struct {
	Limit, Offset int
	Total         int64
	// Query holds the parameters that the links keep beside limit and offset.
	Query url.Values
}

// First returns the number of the first entry shown, from 1; 0 for none.
func (p Paging) First() int64 { return min(int64(p.Offset)+1, p.Total) }

// Last returns the number of the last entry shown.
func (p Paging) Last() int64 { return min(int64(p.Offset)+int64(p.Limit), p.Total) }

// Previous returns the link to the part before, empty when there is none.
func (p Paging) Previous() string {
	if p.Offset == 0 {
		return ""
	}
	return p.link(max(0, p.Offset-p.Limit))
}

// Next returns the link to the part after, empty when there is none.
func (p Paging) Next() string {
	if int64(p.Offset)+int64(p.Limit) >= p.Total {
		return ""
	}
	return p.link(p.Offset + p.Limit)
}

func (p Paging) link(offset int) string {
	q := url.Values{}
	for k, v := range p.Query {
		q[k] = v
	}
	q.Set("limit", strconv.Itoa(p.Limit))
	q.Set("offset", strconv.Itoa(offset))
	return "?" + q.Encode()
}
