// Package instrumentation holds the ways to record what an AI agent does. It
// has no code of its own:
//
//   - agentlens is the SDK: sessions, Track for what is over, live spans for
//     what runs, capture modes and redaction.
//   - agentlenstest records within a unit test, and checks policies and alert
//     rules there.
//   - otelopenai, otelanthropic and otelmcp are middlewares for the official
//     SDKs. Each needs OpenTelemetry and the SDK that it is for.
//
// The packages write spans of OpenTelemetry's GenAI convention, to any backend,
// and import nothing of the collector; agentlenstest alone, which is for tests,
// uses the collector's reader.
package instrumentation
