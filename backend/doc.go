// Package backend is the embedded AgentLens backend: the original's REST API
// on a SQLite store, an API of its own beside it, and a dashboard.
//
// Its handlers are one file a resource: ingest.go (POST /events), sessions.go,
// search.go, explain.go, export.go, compare.go, findings.go (tags),
// annotations.go, analytics.go, heatmap.go, pricing.go, alert_rules.go (rules of
// the API, and what all rules fired), agents.go (forecast, drift, compliance),
// stream.go (changes as server-sent events), health.go, pages.go. guard.go stands
// before all of them: it checks the Host header, the origin of a browser's
// request, and the API key. keep.go deletes what is too old or too much.
//
// The package imports backend/store, backend/insight (the figures),
// backend/web (the pages), analysis and internal/wire, and no collector module:
// extension/agentlensbackend runs it inside the collector.
package backend
