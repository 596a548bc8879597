package agentlensprocessor

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/semconv"
)

// lastVerdicts keeps of findings what holds of whole sessions: totals, cost and
// compliance, of each session's last verdict, without where it stands; and what
// else begins with one of the keys.
func lastVerdicts(findings []string, keys ...string) map[string]string {
	keys = append(keys, "agentlens.session.status=", "agentlens.session.tokens.", "agentlens.session.cost.", "agentlens.compliance.")
	type verdict struct {
		revision int
		text     string
	}
	last := map[string]verdict{}
	for _, line := range findings {
		v := verdict{revision: 1}
		var kept []string
		session := ""
		for _, word := range strings.Fields(line)[1:] {
			if n, ok := strings.CutPrefix(word, semconv.ReportRevision+"="); ok {
				_, _ = fmt.Sscan(n, &v.revision)
			}
			if id, ok := strings.CutPrefix(word, semconv.AgentLensSessionID+"="); ok {
				session = id
			}
			for _, key := range keys {
				if strings.HasPrefix(word, key) {
					kept = append(kept, word)
				}
			}
		}
		v.text = strings.Join(kept, " ")
		if session != "" && v.revision >= last[session].revision {
			last[session] = v
		}
	}
	out := map[string]string{}
	for session, v := range last {
		out[session] = v.text
	}
	return out
}

// verdictDifference says which sessions have other last verdicts. A root that
// has overtaken the span that names its session is judged under its trace's id;
// that verdict is one too many, and the session's own follows.
func verdictDifference(want, got map[string]string) string {
	var b strings.Builder
	for session, text := range want {
		if got[session] != text {
			fmt.Fprintf(&b, "session %s\n want %s\n got  %s\n", session, text, got[session])
		}
	}
	for session, text := range got {
		if _, ok := want[session]; !ok && !isTraceID(session) {
			fmt.Fprintf(&b, "session %s\n not expected: %s\n", session, text)
		}
	}
	return b.String()
}

func isTraceID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 32
}
