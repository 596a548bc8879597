// Package insight makes figures out of what the store holds: the overview, an
// agent's forecast, drift and compliance, the alerts, a comparison of two
// sessions.
//
// The API and the pages both show what it returns, so that no figure has two
// ways of coming about; and the engines of analysis do the reckoning, so that
// the backend says what the collector says. It imports backend/store,
// backend/finding, internal/wire and analysis/*. Its callers are backend and
// backend/web.
package insight
