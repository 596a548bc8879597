// Package growth measures how the processor's cost grows with its state: open
// sessions, and events in a session. It runs the processor in this process,
// without receiver and exporter, for their cost would hide its own. The
// program bench calls it, once in a process of its own for each row.
package growth
