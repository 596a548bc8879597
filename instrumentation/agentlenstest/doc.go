// Package agentlenstest is an AgentLens collector within a test: it takes the
// spans of the code under test, assembles sessions from them as the collector
// does, and runs compliance policies and alert rules on what was recorded. So
// a policy can be a unit test.
//
//	rec := agentlenstest.New(t)
//	answer(rec.Tracker(), "question") // the code under test
//	session := rec.RequireSession("research-agent")
//	session.RequireTool("web_search")
//	session.RequireCompliant(compliance.Strict())
//	session.RequireNoAlerts(rules)
//
// Spans are taken in as they end, in the process: no ports, no waiting. Spans
// of other libraries count too when they are written to the recorder's
// provider.
//
// The package imports the SDK, the engines, and the collector's own reader and
// assembly of sessions, which stand on pdata. Tests import it, the SDK does not.
package agentlenstest
