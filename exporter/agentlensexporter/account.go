package agentlensexporter

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxReasons is how many entries of a batch a log line explains.
const maxReasons = 10

// account counts what the backend answered, and says so when it is less than
// was sent.
func (e *agentLensExporter) account(ctx context.Context, req *request, answer wire.Answer) {
	e.telemetry.ExporterAgentlensEventsSent.Add(ctx, int64(answer.Processed))
	skipped := max(answer.Skipped, len(req.events)-answer.Processed)
	if skipped <= 0 && answer.TruncatedFields <= 0 {
		return
	}
	e.telemetry.ExporterAgentlensEventsSkipped.Add(ctx, int64(max(0, skipped)))
	e.telemetry.ExporterAgentlensFieldsTruncated.Add(ctx, int64(max(0, answer.TruncatedFields)))
	why := answer.Reasons
	if len(why) == 0 {
		why = violations(req.events)
	}
	e.set.Logger.Warn("The backend did not take all that was sent",
		zap.Int("sent", len(req.events)), zap.Int("processed", answer.Processed),
		zap.Int("skipped", answer.Skipped), zap.Int("truncated_fields", answer.TruncatedFields), zap.Strings("reasons", why))
}

// violations says which entries of a batch break the rules of the wire, and
// how, for a backend that does not say itself what it skipped.
func violations(events []wire.Event) []string {
	var out []string
	for i := range events {
		e := &events[i]
		broken := func(field string, value any, want string) {
			if len(out) < maxReasons {
				out = append(out, fmt.Sprintf("events[%d]: %s is %v, want %s", i, field, value, want))
			}
		}
		if !wire.ValidID(e.SessionID) {
			broken("session_id", fmt.Sprintf("%q", e.SessionID), "a-z A-Z 0-9 _ - . :")
		}
		if !wire.Accepted(e.EventType) {
			broken("event_type", fmt.Sprintf("%q", e.EventType), "a type the backend takes")
		}
		for field, data := range map[string][]byte{"input_data": e.InputData, "output_data": e.OutputData} {
			if len(data) > wire.MaxFieldBytes {
				broken(field, fmt.Sprintf("%d bytes", len(data)), fmt.Sprintf("%d at most", wire.MaxFieldBytes))
			}
		}
		if d := e.DecisionTrace; d != nil && len(d.Reasoning) > wire.MaxStringChars {
			broken("decision_trace.reasoning", fmt.Sprintf("%d bytes", len(d.Reasoning)), fmt.Sprintf("%d at most", wire.MaxStringChars))
		}
	}
	if len(out) == 0 {
		out = append(out, "the backend gives none, and the batch breaks no rule of the wire")
	}
	return out
}
