// Package load sends agent sessions to a collector over OTLP as fast as it
// takes them, or at a given rate, and counts what was accepted.
//
// Requests are built once, before anything is measured. To send one again only
// its ids and times are overwritten in the encoded bytes, so that the generator
// takes a small part of the collector's time. It imports pdata and gRPC,
// nothing of AgentLens but the names of attributes. The programs of bench call
// it.
package load
