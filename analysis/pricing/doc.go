// Package pricing says what a call to a model costs, in USD.
//
// The prices are those of the npm package @pydantic/genai-prices (MIT, Copyright
// Pydantic Services Inc.; data/LICENSE), embedded when the program is built and
// dated by Table.Version. Load reads a newer table from a file, and Table.With
// puts prices of the user's own over it.
//
// A call is priced as that package prices it. The provider is the one named, or
// the first whose model_match fits the model. The model is the first of that
// provider, then of its fallback providers, that fits. Of dated or hourly
// prices the last that holds is taken. A tier's price goes for the whole call
// once its input passes the tier's start. Cached tokens cost what the table
// says, and as much as other input where it says nothing. Beyond that package,
// and only where it has no answer, a named provider is also recognised by its
// OpenTelemetry name, and a model in the forms in which providers and gateways
// send it (names.go). No price is made up: a model that is not found has none.
//
// It imports analysis and the standard library only. Callers: the SDK, the
// processor and the embedded backend.
package pricing
