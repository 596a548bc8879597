package spanevent

import "github.com/agentlens/agentlens-otel/analysis"

// memory is where content and tool call of one event after the other are put:
// most of what reading would allocate. A nil memory allocates for each.
type memory struct {
	buf      []byte
	tool     *analysis.ToolCall
	decision *analysis.DecisionTrace
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
	return m.decision
}

// again returns the memory for another event.
func (m *memory) again() memory { return memory{m.buf[:0], m.tool, m.decision} }

// emptied returns the memory for another event, holding on to nothing.
func (m *memory) emptied() memory {
	if m.tool != nil {
		*m.tool = analysis.ToolCall{}
	}
	if m.decision != nil {
		*m.decision = analysis.DecisionTrace{}
	}
	if cap(m.buf) > maxMemory {
		m.buf = nil
	}
	return m.again()
}
