package spanevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/semconv"
)

// How many attributes are written onto a span: by Stamp, by StampCost, and onto
// one that ends a session by StampSession and with its cost and findings.
const (
	stampKeys   = 3
	costKeys    = 4
	sessionKeys = 7
	verdictKeys = 12
	// failedRuleKeys are those of the event for a failed rule.
	failedRuleKeys = 5
)

// makeRoom lets so many attributes be added without the list growing: where it
// grows it doubles.
func makeRoom(attrs pcommon.Map, keys int) { attrs.EnsureCapacity(attrs.Len() + keys) }

// Stamp writes onto a span what it is to which session, so that whoever reads
// it downstream needs no state. r is what was read of that span: values that were
// there then stay, but for the session.
func Stamp(span ptrace.Span, r *Reading) {
	attrs, agent := span.Attributes(), r.Agent()
	ofSession, ofAgent, typed := r.tells(fieldStampedSession), r.tells(fieldStampedAgent) || agent == "", r.tells(fieldEventType)
	room := 0
	for _, there := range [stampKeys]bool{ofSession, ofAgent, typed} {
		if !there {
			room++
		}
	}
	if r.Role == RoleEvent && r.Event.CostUSD.OK {
		room += costKeys
	}
	makeRoom(attrs, room)
	// To put what is known to be absent is the cheapest way that pdata has.
	if key := r.Key(); !ofSession {
		attrs.PutStr(semconv.AgentLensSessionID, key)
	} else if v, _ := attrs.GetOrPutEmpty(semconv.AgentLensSessionID); v.Type() != pcommon.ValueTypeStr || v.Str() != key {
		v.SetStr(key)
	}
	if !ofAgent {
		attrs.PutStr(semconv.AgentLensAgentName, agent)
	}
	if !typed {
		attrs.PutStr(semconv.EventType, r.eventType())
	}
}

// eventType is the value of agentlens.event.type that reads back as the same
// role and type.
func (r *Reading) eventType() string {
	switch r.Role {
	case RoleSession:
		return semconv.EventTypeSession
	case RoleSessionStart:
		return semconv.EventTypeSessionStart
	case RoleSessionReport:
		return semconv.EventTypeSessionReport
	case RoleEvent:
		return string(r.Event.Type)
	default:
		return semconv.EventTypePart
	}
}

// StampCost writes what an inference cost. A cost that the span brought along
// in its own dialect has source provider and no pricing version.
func StampCost(span ptrace.Span, usd float64, source, pricingVersion string) {
	attrs := span.Attributes()
	attrs.PutDouble(semconv.CostAmount, usd)
	attrs.PutStr(semconv.CostCurrency, semconv.CurrencyUSD)
	attrs.PutStr(semconv.CostSource, source)
	if pricingVersion != "" {
		attrs.PutStr(semconv.CostPricingVersion, pricingVersion)
	}
}

// StampSession writes what is known of a whole session onto the span that ends
// it: the root of a trace that stands for a session, or a report.
func StampSession(span ptrace.Span, role Role, s *analysis.Summary) {
	attrs := span.Attributes()
	makeRoom(attrs, sessionKeys+verdictKeys)
	attrs.PutStr(semconv.EventType, (&Reading{Role: role}).eventType())
	attrs.PutStr(semconv.AgentLensSessionID, s.SessionID)
	if s.AgentName != "" {
		attrs.PutStr(semconv.AgentLensAgentName, s.AgentName)
	}
	attrs.PutStr(semconv.SessionStatus, string(s.Status))
	attrs.PutInt(semconv.SessionTokensInput, s.TokensIn)
	attrs.PutInt(semconv.SessionTokensOutput, s.TokensOut)
	StampSessionCost(span, s)
}

// StampSessionTokens raises the token sums that a root tells of its session to
// those of the spans that came: other libraries may tell of calls, or of tokens
// of a call, that the SDK does not know of.
func StampSessionTokens(span ptrace.Span, s *analysis.Summary) {
	attrs := span.Attributes()
	makeRoom(attrs, verdictKeys+stampKeys)
	raise := func(key string, sum int64) {
		if v, ok := attrs.Get(key); ok && v.Int() < sum {
			v.SetInt(sum)
		}
	}
	raise(semconv.SessionTokensInput, s.TokensIn)
	raise(semconv.SessionTokensOutput, s.TokensOut)
}

// StampReplaces writes onto the span of an event, and StampPartOf onto a part,
// which spans told their call before.
func StampReplaces(span ptrace.Span, ids []string) { putTexts(span, semconv.EventReplaces, ids) }

// StampPartOf is StampReplaces for a part. Figures of the call that the span
// tells within its content are written beside it, for content may be left out.
func StampPartOf(span ptrace.Span, r *Reading, ids []string) {
	putTexts(span, semconv.EventPartOf, ids)
	if r.FiguresInContent {
		stampTokens(span.Attributes(), &r.Event)
		putUntold(span.Attributes(), semconv.EventModel, r.Event.Model, semconv.GenAIRequestModel)
	}
}

func putTexts(span ptrace.Span, key string, texts []string) {
	list := span.Attributes().PutEmptySlice(key)
	list.EnsureCapacity(len(texts))
	for _, s := range texts {
		list.AppendEmpty().SetStr(s)
	}
}

// StampEventCost writes what a call costs by what this span knows of it, onto
// one of several of which another has the cost already.
func StampEventCost(span ptrace.Span, usd float64) {
	span.Attributes().PutDouble(semconv.EventCost, usd)
}

// StampCopied writes onto the span of AgentLens's SDK what only a copy of its
// call knew. Token counts go under AgentLens's own keys: the copy has them under
// those that every backend sums up.
func StampCopied(span ptrace.Span, e *analysis.Event) {
	attrs := span.Attributes()
	stampTokens(attrs, e)
	putUntold(attrs, semconv.EventModel, e.Model, semconv.GenAIRequestModel)
	putUntold(attrs, semconv.GenAIResponseModel, e.ResponseModel, semconv.GenAIResponseModel)
	putUntold(attrs, semconv.GenAIProviderName, e.Provider, semconv.GenAIProviderName)
	putUntold(attrs, semconv.EventInput, string(e.Input), semconv.GenAIInputMessages)
	putUntold(attrs, semconv.EventOutput, string(e.Output), semconv.GenAIOutputMessages)
	if t := e.ToolCall; t != nil {
		putUntold(attrs, semconv.ToolCallArguments, string(t.Input), semconv.GenAIToolCallArguments)
		putUntold(attrs, semconv.ToolCallResult, string(t.Output), semconv.GenAIToolCallResult)
	}
}

// stampTokens writes the token counts that stand under neither their own key nor
// the convention's.
func stampTokens(attrs pcommon.Map, e *analysis.Event) {
	for _, c := range [...]struct {
		v         analysis.Opt[int64]
		key, told string
	}{
		{e.TokensIn, semconv.EventTokensInput, semconv.GenAIUsageInputTokens},
		{e.TokensOut, semconv.EventTokensOutput, semconv.GenAIUsageOutputTokens},
		{e.CacheReadTokens, semconv.EventTokensCacheRead, semconv.GenAIUsageCacheReadTokens},
		{e.CacheWriteTokens, semconv.EventTokensCacheWrite, semconv.GenAIUsageCacheWriteTokens},
		{e.ReasoningTokens, semconv.EventTokensReasoning, semconv.GenAIUsageReasoningTokens},
	} {
		if _, told := attrs.Get(c.told); c.v.OK && !told {
			if v, present := attrs.GetOrPutEmpty(c.key); !present {
				v.SetInt(c.v.V)
			}
		}
	}
}

// putUntold writes a text that stands neither under its key nor the other.
func putUntold(attrs pcommon.Map, key, value, other string) {
	if value == "" {
		return
	}
	if _, told := attrs.Get(other); told {
		return
	}
	if v, present := attrs.GetOrPutEmpty(key); !present {
		v.SetStr(value)
	}
}

// StampSessionCost writes the cost of the session's priced calls; nothing when
// no call of it has a price.
func StampSessionCost(span ptrace.Span, s *analysis.Summary) {
	if s.Priced > 0 {
		span.Attributes().PutDouble(semconv.SessionCostAmount, s.CostUSD.Float64())
	}
}

// metadataValue undoes what the SDK does to a metadata value that is not a
// scalar: it arrives as the JSON of an object or a list.
func metadataValue(v any) any {
	s, ok := v.(string)
	if !ok || !(strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")) {
		return v
	}
	if decoded, err := decodeJSON(s); err == nil {
		return decoded
	}
	return v
}
