// Package backend is the embedded AgentLens backend: the original's REST API
// on a SQLite store, and pages to look at sessions with.
//
// Its handlers are one file a resource: ingest.go (POST /events), sessions.go,
// explain.go, findings.go (tags and annotations), health.go, pages.go. guard.go
// stands before all of them: it checks the Host header, the origin of a
// browser's request, and the API key.
//
// The package imports backend/store, backend/web, analysis and internal/wire,
// and no collector module: extension/agentlensbackend runs it inside the
// collector.
package backend
