// Package subject runs the collector that is measured as a process of its own
// on a core of its own, and reads what it has used: processor time and memory
// from /proc, allocations from its pprof endpoint, counts from its metrics.
// The programs of bench call it.
package subject
