package readcmd

import (
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/internal/sessions"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/semconv"
)

// result is what the reader makes of a file.
type result struct {
	// Spans counts all spans of the file, GenAI those that are listed.
	Spans    int       `json:"spans"`
	GenAI    int       `json:"gen_ai_spans"`
	Sessions []session `json:"sessions"`
	Listed   []span    `json:"listed"`
}

// session is a session with what it adds up to.
type session struct {
	ID string `json:"session_id"`
	// Named says that a span names the session; else it is a trace.
	Named      bool             `json:"named"`
	Agent      string           `json:"agent_name,omitempty"`
	Status     analysis.Status  `json:"status"`
	LLMCalls   int64            `json:"llm_calls"`
	TokensIn   int64            `json:"tokens_in"`
	TokensOut  int64            `json:"tokens_out"`
	CacheRead  int64            `json:"cache_read_tokens"`
	CacheWrite int64            `json:"cache_write_tokens"`
	Reasoning  int64            `json:"reasoning_tokens"`
	CostUSD    *float64         `json:"cost_usd"`
	Unpriced   int64            `json:"unpriced_calls"`
	Models     map[string]int64 `json:"models"`
	Tools      map[string]int64 `json:"tool_calls"`
	Errors     int64            `json:"errors"`
	ToolErrors int64            `json:"tool_errors"`
}

// span is a GenAI span and how it was read.
type span struct {
	TraceID  string `json:"trace_id"`
	SpanID   string `json:"span_id"`
	ParentID string `json:"parent_span_id,omitempty"`
	Name     string `json:"name"`
	Scope    string `json:"scope"`
	Session  string `json:"session_id"`
	// Role is call, tool, wrapper, part …; Counted says that the span is the
	// first to tell of an event.
	Role    string `json:"role"`
	Counted bool   `json:"counted"`
	// Dialect and Rule say how the role was found.
	Dialect   string   `json:"dialect"`
	Rule      string   `json:"rule"`
	Model     string   `json:"model,omitempty"`
	Provider  string   `json:"provider,omitempty"`
	Tool      string   `json:"tool,omitempty"`
	TokensIn  *int64   `json:"tokens_in,omitempty"`
	TokensOut *int64   `json:"tokens_out,omitempty"`
	CostUSD   *float64 `json:"cost_usd,omitempty"`
	Error     string   `json:"error,omitempty"`
}

// analyse assembles the sessions of a file as the processor would, all spans
// known.
func analyse(traces []ptrace.Traces) *result {
	out := &result{Sessions: []session{}, Listed: []span{}}
	var readings []spanevent.Reading
	for _, td := range traces {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				scope := spanevent.ForScope(ss.Scope())
				for _, s := range ss.Spans().All() {
					out.Spans++
					r := scope.Read(s)
					if r.Role == spanevent.RoleNone {
						continue
					}
					readings = append(readings, r)
					out.Listed = append(out.Listed, span{Name: s.Name()})
				}
			}
		}
	}
	out.GenAI = len(readings)

	table := sessions.NewTable(sessions.Limits{
		MaxSessions: 1 << 20, IdleTimeout: time.Hour, Retention: 24 * time.Hour, MaxSpanIDs: 1 << 22, MaxCalls: 1 << 12,
	})
	prices, now := pricing.Default(), time.Now()
	named := map[string]bool{}
	for i := range readings {
		named[readings[i].SessionID] = readings[i].SessionID != ""
		table.Bind(&readings[i])
	}
	for i := range readings {
		r := &readings[i]
		if r.Role == spanevent.RoleEvent {
			price(prices, &r.Event)
		}
		out.Listed[i].fill(r)
		table.Observe(r, sessions.Service{}, now, func(_ *sessions.Session, what sessions.Event) {
			out.Listed[i].Counted = what != sessions.Duplicate && r.Role == spanevent.RoleEvent
		}, func(*sessions.Session, sessions.Event) {})
	}
	table.Sweep(now.Add(time.Hour), func(*sessions.Session, sessions.Event) {})
	table.Each(func(s *sessions.Session) { out.Sessions = append(out.Sessions, newSession(s.Summary, named[s.Key])) })
	slices.SortFunc(out.Sessions, func(a, b session) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// price gives a call the cost that the processor would give it by default.
func price(prices *pricing.Table, e *analysis.Event) {
	if e.CostUSD.OK || e.Type != analysis.EventLLMCall && e.Type != semconv.OperationEmbeddings {
		return
	}
	for _, model := range [...]string{e.ResponseModel, e.Model} {
		cost, ok := prices.Cost(pricing.Query{
			Provider: e.Provider, Model: model, ServiceTier: e.ServiceTier, At: e.Timestamp,
			Usage: pricing.Usage{
				InputTokens: e.TokensIn, OutputTokens: e.TokensOut, CacheReadTokens: e.CacheReadTokens, CacheWriteTokens: e.CacheWriteTokens,
			},
		})
		if model != "" && ok {
			e.CostUSD = analysis.Some(cost.TotalUSD)
			return
		}
	}
}

func newSession(sum *analysis.Summary, named bool) session {
	s := session{
		ID: sum.SessionID, Named: named, Agent: sum.AgentName, Status: sum.Status,
		LLMCalls: sum.LLMCalls, TokensIn: sum.TokensIn, TokensOut: sum.TokensOut,
		CacheRead: sum.CacheReadTokens, CacheWrite: sum.CacheWriteTokens, Reasoning: sum.ReasoningTokens,
		Unpriced: sum.Unpriced, Models: counts(&sum.Models), Tools: counts(&sum.Tools),
		Errors: sum.Errors, ToolErrors: sum.ToolErrorLike,
	}
	if sum.Priced > 0 {
		usd := sum.CostUSD.Float64()
		s.CostUSD = &usd
	}
	return s
}

func counts(c *analysis.Counts) map[string]int64 {
	out := map[string]int64{}
	for _, n := range c.List {
		out[n.Name] = n.N
	}
	return out
}

var roles = map[spanevent.Role]string{
	spanevent.RoleSession: "session", spanevent.RoleSessionStart: "start", spanevent.RoleSessionReport: "report",
	spanevent.RolePart: "part", spanevent.RoleWrapper: "wrapper",
}

func (s *span) fill(r *spanevent.Reading) {
	e := &r.Event
	s.TraceID, s.SpanID, s.Scope, s.Session = r.TraceID.String(), r.SpanID.String(), r.Scope, r.Key()
	s.Dialect, s.Rule = r.Dialect, r.Rule.String()
	if !r.ParentID.IsEmpty() {
		s.ParentID = r.ParentID.String()
	}
	if s.Role = roles[r.Role]; s.Role == "" {
		s.Role = string(e.Type)
	}
	s.Model, s.Provider = e.Model, e.Provider
	s.TokensIn, s.TokensOut, s.CostUSD = pointer(e.TokensIn), pointer(e.TokensOut), pointer(e.CostUSD)
	if e.ToolCall != nil {
		s.Tool = e.ToolCall.Name
	}
	if e.Error != nil {
		s.Error = e.Error.Type
	}
}

func pointer[T any](v analysis.Opt[T]) *T {
	if !v.OK {
		return nil
	}
	return &v.V
}
