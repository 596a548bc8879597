package semconv

// ScopeName is the instrumentation scope of the spans the SDK writes.
const ScopeName = "github.com/agentlens/agentlens-otel/instrumentation/agentlens"

// ProcessorScopeName is the instrumentation scope of the spans the processor
// adds (SpanSessionReport).
const ProcessorScopeName = "github.com/agentlens/agentlens-otel/processor/agentlensprocessor"

// Span names of AgentLens's own. The others follow the GenAI convention:
// "invoke_agent {agent}", "chat {model}", "execute_tool {tool}".
const (
	// SpanSessionStart is the zero-length child that makes a session visible
	// before its first event.
	SpanSessionStart = "agentlens.session.start"
	// SpanSessionReport carries findings that could not go onto the session's
	// root span, or that revise a verdict already given.
	SpanSessionReport = "agentlens.session.report"
	// SpanDecision is the span of a decision trace.
	SpanDecision = "decision"
)

// AgentLens attribute keys written by the SDK.
const (
	// EventType says what a span of a session is: one of the event types, or
	// EventTypeSession, EventTypeSessionStart, EventTypePart.
	EventType = "agentlens.event.type"
	// EventInput and EventOutput hold an event's input and output data as JSON.
	EventInput  = "agentlens.event.input"
	EventOutput = "agentlens.event.output"

	SessionStatus = "agentlens.session.status"
	// SessionMetadataPrefix precedes the key of each metadata entry. Scalars
	// keep their type, everything else is JSON.
	SessionMetadataPrefix = "agentlens.session.metadata."
	SessionTokensInput    = "agentlens.session.tokens.input"
	SessionTokensOutput   = "agentlens.session.tokens.output"

	DecisionStep         = "agentlens.decision.step"
	DecisionReasoning    = "agentlens.decision.reasoning"
	DecisionAlternatives = "agentlens.decision.alternatives"
	// DecisionConfidence is between 0 and 1.
	DecisionConfidence = "agentlens.decision.confidence"

	// The tool of an event that is not itself a tool call.
	ToolName          = "agentlens.tool.name"
	ToolCallArguments = "agentlens.tool.call.arguments"
	ToolCallResult    = "agentlens.tool.call.result"
)

// Values of EventType beside the event types of package analysis.
const (
	EventTypeSession       = "session"
	EventTypeSessionStart  = "session_start"
	EventTypeSessionReport = "session_report"
	// EventTypePart marks a span that shows a part of an event which its own
	// span already tells whole. Parts are never counted or forwarded.
	EventTypePart = "part"
)

// AgentLens attribute keys stamped on by the processor.
const (
	AgentLensSessionID = "agentlens.session.id"
	AgentLensAgentName = "agentlens.agent.name"

	// CostAmount is in CostCurrency, absent when the price is unknown.
	CostAmount         = "agentlens.cost.amount"
	CostCurrency       = "agentlens.cost.currency"
	CostSource         = "agentlens.cost.source"
	CostPricingVersion = "agentlens.cost.pricing_version"
	SessionCostAmount  = "agentlens.session.cost.amount"

	ReportRevision = "agentlens.session.report.revision"
)

// Values of CostSource and CostCurrency.
const (
	CostSourceProvider = "provider"
	CostSourceLocal    = "local"
	CurrencyUSD        = "USD"
)

// Findings: attributes and span events. DESIGN.md, "Findings on spans".
const (
	EventEvaluationResult = "gen_ai.evaluation.result"
	EventAlertFired       = "agentlens.alert.fired"
	EventAlertResolved    = "agentlens.alert.resolved"
	EventDriftDetected    = "agentlens.drift.detected"
	EventBudgetExceeded   = "agentlens.budget.exceeded"
	EventForecastComputed = "agentlens.forecast.computed"

	ComplianceCompliant = "agentlens.compliance.compliant"
	CompliancePolicy    = "agentlens.compliance.policy"
	CompliancePassed    = "agentlens.compliance.passed"
	ComplianceFailed    = "agentlens.compliance.failed"
	ComplianceSkipped   = "agentlens.compliance.skipped"
	ComplianceSeverity  = "agentlens.compliance.severity"
	// ComplianceEvaluationPrefix precedes the rule kind in gen_ai.evaluation.name.
	ComplianceEvaluationPrefix = "compliance."

	AlertRule      = "agentlens.alert.rule"
	AlertSeverity  = "agentlens.alert.severity"
	AlertMessage   = "agentlens.alert.message"
	AlertValue     = "agentlens.alert.value"
	AlertThreshold = "agentlens.alert.threshold"
	// AlertGroupBy is none, agent, session or model, and AlertGroup the agent,
	// session or model for which the rule fired or is resolved; absent by none.
	AlertGroupBy = "agentlens.alert.group_by"
	AlertGroup   = "agentlens.alert.group"
	// AlertStateID names the state in which the rule fired: a processor's, the
	// same after a restart with storage. Only that state resolves it.
	AlertStateID = "agentlens.alert.state_id"

	DriftScore         = "agentlens.drift.score"
	DriftStatus        = "agentlens.drift.status"
	DriftMetric        = "agentlens.drift.metric"
	DriftBaselineValue = "agentlens.drift.baseline.value"
	DriftCurrentValue  = "agentlens.drift.current.value"
	DriftEffectSize    = "agentlens.drift.effect_size"

	ForecastDailyCost   = "agentlens.forecast.daily_cost"
	ForecastTotalCost   = "agentlens.forecast.total_cost"
	ForecastMethod      = "agentlens.forecast.method"
	ForecastHorizonDays = "agentlens.forecast.horizon_days"
)

// Figures of an event that is not an inference, where gen_ai.request.model and
// gen_ai.usage.* would make other backends count a call that was none.
const (
	EventModel        = "agentlens.event.model"
	EventTokensInput  = "agentlens.event.tokens.input"
	EventTokensOutput = "agentlens.event.tokens.output"

	EventTokensCacheRead  = "agentlens.event.tokens.cache_read"
	EventTokensCacheWrite = "agentlens.event.tokens.cache_write"
	EventTokensReasoning  = "agentlens.event.tokens.reasoning"
)

// What the processor writes onto a span of a call that spans of an earlier batch
// have told, and gone on as events or parts of one. Where all spans of a call
// come in one batch, one of them is the event and says all, and neither is there.
const (
	// EventReplaces stands on an event that takes the place of others: a list of
	// the ids of their spans. Who has counted those counts this one instead.
	EventReplaces = "agentlens.event.replaces"
	// EventPartOf stands on a part (EventTypePart), with the ids of the spans that
	// told the call before. What these do not know of it, this one may.
	EventPartOf = "agentlens.event.part_of"
	// EventCost is what the call costs by what this one of its spans knows, in US
	// dollars, where another has it in CostAmount, so that sums of that hold each
	// call once.
	EventCost = "agentlens.event.cost"
)

// DecisionID is the id of a decision trace.
const DecisionID = "agentlens.decision.id"

// ToolCallID is the id of the tool call of an event that is not itself one.
const ToolCallID = "agentlens.tool.call.id"

// What else findings carry, beside the names above.
const (
	DriftSummary = "agentlens.drift.summary"
	// DriftNew and DriftDropped name the tools, models or event types that
	// occur only in the current window, or only in the baseline.
	DriftNew     = "agentlens.drift.new"
	DriftDropped = "agentlens.drift.dropped"

	BudgetName    = "agentlens.budget.name"
	BudgetPeriod  = "agentlens.budget.period"
	BudgetMessage = "agentlens.budget.message"
	// BudgetLimit, BudgetSpent and BudgetProjected are in US dollars.
	BudgetLimit          = "agentlens.budget.limit"
	BudgetSpent          = "agentlens.budget.spent"
	BudgetProjected      = "agentlens.budget.projected"
	BudgetExhaustionDate = "agentlens.budget.exhaustion_date"
)
