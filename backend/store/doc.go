// Package store keeps sessions, events, tags and annotations in one SQLite
// file.
//
// What it stores depends only on the set of things it was given, not on how
// often or in which order they came: events are known by their id, and a
// session's name, times, status and totals are joins over everything reported
// of it (see state). So a batch may be repeated, and may come late. Of the spans
// that tell one call it makes one event (see copies.go).
//
// Beside the events it keeps sums of them, by day, agent, model and status, and
// each session's analysis.Summary, written in the transaction that writes the
// events; so a page costs the same whatever the number of events, and costs,
// which are exact sums, are the same wherever they are added up.
//
// One connection writes, one transaction a batch; a pool of others reads. A
// batch that Ingest has acknowledged survives the death of the process. After
// a power failure the file is intact, but the last batches may be missing:
// SQLite runs with synchronous=NORMAL on a write-ahead log.
//
// The package imports analysis and internal/wire. Its caller is backend.
package store
