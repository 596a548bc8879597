package agentlensprocessor

import (
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// report is the verdict on a session, on its way to a span.
type report struct {
	summary  *analysis.Summary
	service  sessions.Service
	traceID  pcommon.TraceID
	rootID   pcommon.SpanID
	revision int64
	verdict  verdict
}

// newReport returns the report on a session, which holds as long as that is
// locked.
func newReport(s *sessions.Session, v verdict) report {
	return report{
		summary: s.Summary, service: s.Service(), traceID: s.TraceID, rootID: s.RootID, revision: s.Revision, verdict: v,
	}
}

// fitsOn reports whether the verdict can stand on the span that ended the
// session. It cannot on one that is an event in its own right.
func (rep *report) fitsOn(r *spanevent.Reading) bool {
	return r.Role == spanevent.RoleSession || r.Role == spanevent.RoleWrapper || r.Role == spanevent.RolePart
}

// stamp writes the verdict onto the span that ended the session.
func (rep *report) stamp(span ptrace.Span, r *spanevent.Reading) {
	if r.Role == spanevent.RoleSession {
		// The SDK has written the status itself, and the token sums of what it
		// tracked.
		spanevent.StampSessionTokens(span, rep.summary)
		spanevent.StampSessionCost(span, rep.summary)
	} else {
		spanevent.StampSession(span, spanevent.RoleSession, rep.summary)
	}
	rep.stampFindings(span)
}

func (rep *report) stampFindings(span ptrace.Span) {
	at := span.EndTimestamp().AsTime()
	v := &rep.verdict
	spanevent.StampCompliance(span, v.compliance, at)
	if f := v.forecast; f != nil {
		spanevent.StampForecast(span, f.Result)
		if f.News {
			spanevent.StampForecastComputed(span, rep.summary.AgentName, f.Result, at)
		}
	}
	if d := v.drift; d != nil {
		spanevent.StampDrift(span, d.Score, d.Status)
		for _, changed := range d.Changed {
			spanevent.StampDriftDetected(span, changed, at)
		}
	}
}

// appendReports adds a zero-length report span for each verdict that no span
// of the batch could carry.
func appendReports(td ptrace.Traces, reports []*report) {
	for _, rep := range reports {
		rs := td.ResourceSpans().AppendEmpty()
		if rep.service.Name != "" {
			rs.Resource().Attributes().PutStr(semconv.ServiceName, rep.service.Name)
		}
		if rep.service.Version != "" {
			rs.Resource().Attributes().PutStr(semconv.ServiceVersion, rep.service.Version)
		}
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(semconv.ProcessorScopeName)
		rep.writeTo(ss.Spans().AppendEmpty())
	}
}

func (rep *report) writeTo(span ptrace.Span) {
	span.SetName(semconv.SpanSessionReport)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(rep.traceID)
	span.SetParentSpanID(rep.rootID)
	span.SetSpanID(rep.spanID())
	at := pcommon.NewTimestampFromTime(rep.summary.EndedAt)
	span.SetStartTimestamp(at)
	span.SetEndTimestamp(at)
	spanevent.StampSession(span, spanevent.RoleSessionReport, rep.summary)
	span.Attributes().PutInt(semconv.ReportRevision, rep.revision)
	rep.stampFindings(span)
}

// spanID makes the report's span id out of what it reports on, so that the same
// stream gives the same report.
func (rep *report) spanID() pcommon.SpanID {
	var room [128]byte
	b := room[:0]
	if !rep.traceID.IsEmpty() {
		b = hex.AppendEncode(b, rep.traceID[:])
	}
	b = append(append(append(b, '/'), rep.summary.SessionID...), '/')
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendInt(b, rep.revision, 10)) // never fails
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], h.Sum64())
	return id
}
