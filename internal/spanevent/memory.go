package spanevent

import "github.com/agentlens/agentlens-otel/analysis"

// memory is where content and tool call of one event after the other are put:
// most of what reading would allocate. A nil memory allocates for each.
type memory struct {
	buf      []byte
	tool     *analysis.ToolCall
	decision *analysis.DecisionTrace
	// toolUsed and decisionUsed say that something stands in them.
	toolUsed, decisionUsed bool
}

// maxMemory is how many bytes of content are kept room for.
const maxMemory = 16 << 10

// take returns an empty slice that n bytes can be appended to.
func (m *memory) take(n int) []byte {
	if m == nil {
		return make([]byte, 0, n)
	}
	from := len(m.buf)
	if cap(m.buf)-from < n {
		// What was taken stays where it is, and next time there is room for all.
		m.buf, from = make([]byte, 0, cap(m.buf)+n), 0
	}
	m.buf = m.buf[:from+n]
	return m.buf[from : from : from+n]
}

// toolCall returns the memory of a tool call.
func (m *memory) toolCall() *analysis.ToolCall {
	if m == nil {
		return &analysis.ToolCall{}
	}
	if m.tool == nil {
		m.tool = &analysis.ToolCall{}
	}
	m.toolUsed = true
	return m.tool
}

// decisionTrace returns the memory of a decision trace.
func (m *memory) decisionTrace() *analysis.DecisionTrace {
	if m == nil {
		return &analysis.DecisionTrace{}
	}
	if m.decision == nil {
		m.decision = &analysis.DecisionTrace{}
	}
	m.decisionUsed = true
	return m.decision
}

// empty lets go of what was read, but keeps the room for another event.
func (m *memory) empty() {
	if m.toolUsed {
		*m.tool, m.toolUsed = analysis.ToolCall{}, false
	}
	if m.decisionUsed {
		*m.decision, m.decisionUsed = analysis.DecisionTrace{}, false
	}
	if cap(m.buf) > maxMemory {
		m.buf = nil
	}
}
