// Package wire is the JSON that travels from the AgentLens exporter to the
// AgentLens backend: the body of POST /events, its answer, tags and
// annotations, with the limits the original backend sets.
//
// The exporter writes it and the embedded backend reads it, so that the two
// cannot drift apart. Fields the original backend does not know are marked;
// it ignores them. The package imports only analysis.
package wire
