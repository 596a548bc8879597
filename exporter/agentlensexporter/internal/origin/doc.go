// Package origin is a model of the original AgentLens backend, for tests: a
// real HTTP server on loopback that holds sessions as the original does, with
// its limits and its silences (skipped entries under status 200, stubs, token
// sums that count repetitions), and that fails as a script says.
//
// It is written from the description of the wire and shares no code with the
// exporter or the embedded backend, so that a mistake of theirs is not its own.
// Only tests import it.
package origin
