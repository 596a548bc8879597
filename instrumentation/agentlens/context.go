package agentlens

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/semconv"
)

// Detach returns ctx without its cancellation and deadline, for work that goes
// on after the request that started it. It keeps the session and the span, so
// that the work shows under what started it. What a session's work does after
// the session has ended is refused, and counted in Stats.
func Detach(ctx context.Context) context.Context {
	return context.WithoutCancel(orBackground(ctx))
}

// NewSpanProcessor returns a span processor for a provider of the caller's own.
// Every span that is started under a session's context, by whatever library,
// gets session.id and gen_ai.agent.name, unless it has them: so HTTP, database
// and other libraries' GenAI spans join the session. The provider that Init
// sets up has one.
func NewSpanProcessor(opts ...SpanProcessorOption) sdktrace.SpanProcessor {
	var p spanProcessor
	for _, opt := range opts {
		if opt != nil {
			opt.applySpanProcessor(&p)
		}
	}
	return p
}

// SpanProcessorOption configures a span processor.
type SpanProcessorOption interface{ applySpanProcessor(*spanProcessor) }

// WithBaggage lets a session's id and its agent's name travel to other
// processes as W3C baggage, in the members agentlens.session.id and
// agentlens.agent.name. They leave a process only if it propagates baggage.
// Given to StartSession or a tracker, the session's context gets the members;
// given to NewSpanProcessor or a tracker, spans that have no session of their
// process take them from the context.
//
// Baggage is for services of one's own. The context that StartLLM returns has
// the members no more, and WithoutBaggage takes them from any other.
func WithBaggage() BaggageOption { return BaggageOption{} }

// BaggageOption is what WithBaggage returns.
type BaggageOption struct{}

func (BaggageOption) applySession(c *sessionConfig)       { c.baggage = true }
func (BaggageOption) applySpanProcessor(p *spanProcessor) { p.baggage = true }
func (BaggageOption) apply(c *config) error {
	c.baggage = true
	return nil
}

// WithoutBaggage returns ctx without the members that WithBaggage adds, for
// requests to those who should not see them, such as a provider of models.
func WithoutBaggage(ctx context.Context) context.Context {
	ctx = orBackground(ctx)
	b := baggage.FromContext(ctx)
	if b.Len() == 0 {
		return ctx
	}
	without := b.DeleteMember(semconv.BaggageSessionID).DeleteMember(semconv.BaggageAgentName)
	if without.Len() == b.Len() {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, without)
}

// withSessionBaggage returns ctx with the session's members, as far as baggage
// has room.
func withSessionBaggage(ctx context.Context, s *Session) context.Context {
	b := baggage.FromContext(ctx)
	for key, value := range map[string]string{semconv.BaggageSessionID: s.id, semconv.BaggageAgentName: s.agentName} {
		member, err := baggage.NewMemberRaw(key, value)
		if err != nil {
			continue
		}
		if with, err := b.SetMember(member); err == nil {
			b = with
		}
	}
	return baggage.ContextWithBaggage(ctx, b)
}

// spanProcessor stamps spans with the session that they belong to.
type spanProcessor struct{ baggage bool }

// OnStart stamps the span. The spans of the SDK itself have their identity.
func (p spanProcessor) OnStart(ctx context.Context, span sdktrace.ReadWriteSpan) {
	if span.InstrumentationScope().Name == semconv.ScopeName {
		return
	}
	var stamp []attribute.KeyValue
	switch at := placeIn(ctx); {
	case at != nil:
		stamp = at.stamp
	case p.baggage:
		stamp = fromBaggage(ctx)
	}
	if len(stamp) == 0 {
		return
	}
	own := span.Attributes()
	if len(own) == 0 {
		span.SetAttributes(stamp...)
		return
	}
	missing := make([]attribute.KeyValue, 0, len(stamp)+1)
	for _, kv := range stamp {
		have, ok := find(own, kv.Key)
		switch {
		case !ok:
			missing = append(missing, kv)
		case kv.Key == semconv.SessionID && have != kv.Value:
			// The library's session is another thing; ours has a key of its own.
			missing = append(missing, attribute.String(semconv.AgentLensSessionID, kv.Value.AsString()))
		}
	}
	span.SetAttributes(missing...)
}

func (spanProcessor) OnEnd(sdktrace.ReadOnlySpan)      {}
func (spanProcessor) Shutdown(context.Context) error   { return nil }
func (spanProcessor) ForceFlush(context.Context) error { return nil }

// fromBaggage returns the identity that baggage brought, nil without one.
func fromBaggage(ctx context.Context) []attribute.KeyValue {
	b := baggage.FromContext(ctx)
	id := b.Member(semconv.BaggageSessionID).Value()
	if !idPattern.MatchString(id) {
		return nil
	}
	stamp := []attribute.KeyValue{attribute.String(semconv.SessionID, id)}
	return appendText(stamp, semconv.GenAIAgentName, text(b.Member(semconv.BaggageAgentName).Value()))
}

func find(attrs []attribute.KeyValue, key attribute.Key) (attribute.Value, bool) {
	for _, kv := range attrs {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return attribute.Value{}, false
}

// place is where in a session a context is: with its agent or a sub-agent.
type place struct {
	session *Session
	// stamp is what spans begin with there.
	stamp []attribute.KeyValue
}

// CapturePolicy returns what is captured in ctx by middlewares.
func (p *place) CapturePolicy(ctx context.Context) capture.Policy {
	policy := p.session.tracker.contents.policy
	policy.Mode = p.session.captureMode(ctx, captureUnset)
	return policy
}

// TracerProvider returns where spans of middlewares in the session go.
func (p *place) TracerProvider() trace.TracerProvider { return p.session.tracker.provider }

// placeIn returns the place that ctx holds, nil when it holds none.
func placeIn(ctx context.Context) *place {
	p, _ := ctx.Value(capture.Key{}).(*place)
	return p
}

// placeOf returns the place of a sub-agent. Its spans bear its name, and that
// of the session's agent under a key of its own.
func (s *Session) placeOf(agent string) *place {
	return &place{session: s, stamp: []attribute.KeyValue{
		s.home.stamp[0], attribute.String(semconv.GenAIAgentName, agent), attribute.String(semconv.AgentLensAgentName, s.agentName),
	}}
}

// identity appends the attributes that every span of the session begins with,
// so that no attribute limit takes them.
func (p *place) identity(attrs []attribute.KeyValue, eventType string) []attribute.KeyValue {
	return append(append(attrs, p.stamp...), attribute.String(semconv.EventType, eventType))
}

// spanKey holds the live span of a context.
type spanKey struct{}

// SpanFromContext returns the innermost live span of ctx, nil when there is
// none.
func SpanFromContext(ctx context.Context) *Span {
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}
