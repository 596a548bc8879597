package semconv

// What the SDK says of content that it does not capture, or not whole.
const (
	// BytesSuffix is appended to the key of content of which only the length is
	// captured.
	BytesSuffix = ".bytes"
	// ContentDropped names the attributes whose content a redactor failed on.
	ContentDropped = "agentlens.content.dropped"
	// DecisionAlternativesCount is how many alternatives there were, where they
	// are not captured.
	DecisionAlternativesCount = "agentlens.decision.alternatives.count"
)

// Baggage members that carry a session to other processes, where that is asked
// for.
const (
	BaggageSessionID = "agentlens.session.id"
	BaggageAgentName = "agentlens.agent.name"
)

// Metrics of what is no inference.
const (
	MetricExecuteToolDuration = "gen_ai.execute_tool.duration"
	MetricInvokeAgentDuration = "gen_ai.invoke_agent.duration"
)

// Values of gen_ai.token.type and gen_ai.token.modality.
const (
	TokenTypeInput       = "input"
	TokenTypeOutput      = "output"
	TokenModalityUnknown = "unknown"
)
