package compliance

// Strict returns a policy for agents in production that act on their own: the
// figures of the original's documentation, no code execution or shell, and a
// reason for every decision. Many errors and a long run are breaches.
func Strict() *Policy {
	return &Policy{Name: "strict", Rules: []Rule{
		{Kind: MaxTokens, Limit: new(50_000.0)},
		{Kind: MaxEvents, Limit: new(200.0)},
		{Kind: MaxToolCalls, Limit: new(50.0)},
		{Kind: MaxDurationMS, Limit: new(300_000.0)},
		{Kind: MaxErrorRate, Limit: new(0.05)},
		{Kind: ForbiddenTools, Tools: []string{"execute_code", "shell", "bash", "rm"}},
		{Kind: RequireReasoning, Threshold: new(1.0)},
	}}
}

// Permissive returns a policy that only stops what has run away: a million
// tokens, 2,000 events, an hour, more errors than successes. It warns where
// half of the decisions have no reasoning.
func Permissive() *Policy {
	return &Policy{Name: "permissive", Rules: []Rule{
		{Kind: MaxTokens, Limit: new(1_000_000.0)},
		{Kind: MaxEvents, Limit: new(2_000.0)},
		{Kind: MaxDurationMS, Limit: new(3_600_000.0)},
		{Kind: MaxErrorRate, Limit: new(0.5)},
		{Kind: RequireReasoning, Threshold: new(0.5), Severity: SeverityWarning},
	}}
}
