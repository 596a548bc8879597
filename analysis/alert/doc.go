// Package alert watches events for what a person should know: thresholds,
// rates, runs, patterns, aggregates, and combinations of them.
//
// Rules compile once into a RuleSet, which is immutable and shared. What has
// been seen lives in a State, which is small, bounded, and written down as the
// JSON of a Snapshot: a collector holds one per agent or session. Engine is a
// RuleSet with one State, for programs that watch a single stream.
//
// # When a condition holds
//
// After each event a condition holds or does not:
//   - threshold: this event's field compares as asked;
//   - pattern: the regular expression (RE2, unanchored) matches this event's
//     field, a text or the JSON of an object;
//   - rate: more than Threshold matching events lie within WindowSeconds
//     before the newest event time seen, bounds included;
//   - consecutive: the last Count events match;
//   - aggregate: the function over the last Window events (50 unless said),
//     skipping those without the metric, compares as asked; an aggregate of
//     nothing never holds;
//   - composite: all, or any, of its conditions hold, where a threshold,
//     pattern, rate or consecutive holds for the last Window events (50 unless
//     said) after it did. A composite without conditions never holds.
//
// A field that is absent never matches, nor does one of another type than the
// value it is compared with.
//
// # When a rule fires
//
// Observe, on a stream, is edge-triggered: a rule fires when its condition
// begins to hold, is silent while it holds, and is resolved when it holds no
// more. A threshold or pattern holds from an event that matches to the next one
// that could have matched and does not: events without the field, or with
// another type there, say nothing and change nothing. Whoever wants to be told
// of each session or agent keeps a State for each.
//
// A rule whose condition begins to hold within its cooldown, in event time
// since it last fired, is silent; if it still holds when the cooldown is over it
// fires then: at the next event, or of a threshold or pattern at the next that
// matches, for the alert says which event it is about. Resolutions wait for no
// cooldown, and what never fired is not resolved.
//
// Evaluate, on a slice, without cooldown: a threshold, pattern, rate or
// consecutive rule fires when its condition held after any event, which is when
// Observe over the same events fires at least once. An aggregate or composite
// is a statement about what the slice holds as a whole, and fires when it holds
// after the last event, which is when Observe has fired and not resolved it.
//
// Events may come out of order: a late one counts in every rate window it still
// lies in. An event without a timestamp counts in no rate, and happens at the
// newest time seen. A time in the future makes everything that follows late:
// whoever takes events from other people's clocks should first bound them by
// its own.
//
// What each condition says of an event by itself, a RuleSet tells without a
// State (Judge): whoever keeps many behind a lock judges first, and of a State
// that is idle then mostly has no more to move than its Clock. Of most content
// already the text that it is made of shows that no pattern matches (Screen).
//
// The package imports analysis and its strict decoder. Callers: client
// programs, and the collector's processor.
package alert
