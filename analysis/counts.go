package analysis

import (
	"slices"
	"strings"
)

// MaxNames bounds the distinct names a Counts keeps.
const MaxNames = 256

// Count is how often a name was seen.
type Count struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// Counts counts names: models, tools, event types. It is sorted by name, and
// bounded: of more than MaxNames distinct names it keeps the smallest by code
// point and counts the rest in Other, so that what it holds does not depend on
// the order of adding. The zero Counts is empty and ready.
type Counts struct {
	List  []Count `json:"list,omitempty"`
	Other int64   `json:"other,omitempty"`
}

// Add counts name n times.
func (c *Counts) Add(name string, n int64) {
	i, found := c.find(name)
	if found {
		c.List[i].N += n
		return
	}
	if i == MaxNames {
		c.Other += n
		return
	}
	if len(c.List) == MaxNames {
		c.Other += c.List[MaxNames-1].N
		c.List = c.List[:MaxNames-1]
	}
	c.List = append(c.List, Count{})
	copy(c.List[i+1:], c.List[i:])
	c.List[i] = Count{name, n}
}

// Merge adds what other has counted.
func (c *Counts) Merge(other *Counts) {
	for _, o := range other.List {
		c.Add(o.Name, o.N)
	}
	c.Other += other.Other
}

// Get returns how often name was counted: 0 when it never was.
func (c *Counts) Get(name string) int64 {
	if i, found := c.find(name); found {
		return c.List[i].N
	}
	return 0
}

// Names returns the names, sorted.
func (c *Counts) Names() []string {
	names := make([]string, len(c.List))
	for i := range c.List {
		names[i] = c.List[i].Name
	}
	return names
}

// Total returns the sum over all names, Other included.
func (c *Counts) Total() int64 {
	n := c.Other
	for i := range c.List {
		n += c.List[i].N
	}
	return n
}

// fewNames are as quickly looked through as searched by halves.
const fewNames = 8

func (c *Counts) find(name string) (int, bool) {
	if len(c.List) <= fewNames {
		for i := range c.List {
			if c.List[i].Name == name {
				return i, true
			}
		}
		at := 0
		for at < len(c.List) && c.List[at].Name < name {
			at++
		}
		return at, false
	}
	return slices.BinarySearchFunc(c.List, name, func(e Count, name string) int {
		return strings.Compare(e.Name, name)
	})
}
