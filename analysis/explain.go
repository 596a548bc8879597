package analysis

import (
	"strconv"
	"strings"
)

// NoActiveSession is the answer to a request to explain when no session is
// active and none was asked for.
const NoActiveSession = "No active session."

// SessionNotFound is the answer when there is no session with the id.
func SessionNotFound(id string) string { return "Session " + id + " not found." }

// Explain tells a session as Markdown: a head with its figures, and a timeline
// of its events in the order they are in, with models, tools, reasoning and
// tokens. The text is the original's, byte for byte; each time is shown in its
// own offset.
func Explain(s *Session) string {
	var b strings.Builder
	b.WriteString("## Session Explanation: " + s.AgentName)
	b.WriteString("\n**Session ID:** " + s.ID)
	started := "2006-01-02T15:04:05-07:00"
	if s.StartedAt.Nanosecond() >= 1000 { // the original has microseconds, all six or none
		started = "2006-01-02T15:04:05.000000-07:00"
	}
	b.WriteString("\n**Started:** " + s.StartedAt.Format(started))
	b.WriteString("\n**Status:** " + string(s.Status))
	b.WriteString("\n**Total tokens:** ")
	writeTokens(&b, s.TotalTokensIn, s.TotalTokensOut)
	b.WriteString("\n\n### Event Timeline:")
	for i := range s.Events {
		e := &s.Events[i]
		b.WriteString("\n" + strconv.Itoa(i+1) + ". [" + e.Timestamp.Format("15:04:05.000") + "] **" + string(e.Type) + "**")
		if e.Model != "" {
			b.WriteString(" (model: " + e.Model + ")")
		}
		if e.ToolCall != nil && e.ToolCall.Name != "" {
			b.WriteString(" → tool: " + e.ToolCall.Name)
		}
		if e.DecisionTrace != nil && e.DecisionTrace.Reasoning != "" {
			b.WriteString("\n   💡 Reasoning: " + e.DecisionTrace.Reasoning)
		}
		if in, out := e.TokensIn.Or(0), e.TokensOut.Or(0); in != 0 || out != 0 {
			b.WriteString("\n   📊 Tokens: ")
			writeTokens(&b, in, out)
		}
	}
	return b.String()
}

func writeTokens(b *strings.Builder, in, out int64) {
	b.WriteString(strconv.FormatInt(in, 10) + " in / " + strconv.FormatInt(out, 10) + " out")
}
