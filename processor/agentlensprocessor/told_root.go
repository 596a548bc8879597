package agentlensprocessor

import (
	"encoding/binary"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// What is remembered of a report on a root is what report.stamp writes of it, but
// for where the findings of drift and forecast are (told_roots.go). It never
// leaves the process.

// appendTold appends the report to b. Of what policies said, that is the sums and
// the rules that failed.
func appendTold(b []byte, rep *report) []byte {
	s := rep.summary
	b = appendText(b, s.SessionID)
	b = appendText(b, s.AgentName)
	b = appendText(b, string(s.Status))
	b = binary.AppendVarint(b, s.TokensIn)
	b = binary.AppendVarint(b, s.TokensOut)
	b = binary.AppendVarint(b, s.Priced)
	b = binary.AppendVarint(b, s.CostUSD.Hi)
	b = binary.LittleEndian.AppendUint64(b, s.CostUSD.Lo)
	b = binary.AppendUvarint(b, uint64(len(rep.verdict.compliance)))
	for _, c := range rep.verdict.compliance {
		b = appendText(b, c.Policy)
		for _, n := range [...]int{c.Passed, c.Failed, c.FailedErrors, c.Skipped} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		for i := range c.Results {
			if r := &c.Results[i]; r.Verdict == compliance.Fail {
				b = appendText(b, string(r.Kind))
				b = appendText(b, string(r.Severity))
				b = appendText(b, r.Message)
			}
		}
	}
	return b
}

// toldReader is what is left to be read.
type toldReader []byte

// report returns what appendTold has written.
func (u *toldReader) report() *report {
	s := &analysis.Summary{SessionID: u.text(), AgentName: u.text(), Status: analysis.Status(u.text())}
	s.TokensIn, s.TokensOut, s.Priced = u.int(), u.int(), u.int()
	s.CostUSD.Hi, s.CostUSD.Lo = u.int(), u.fixed()
	rep := &report{summary: s}
	for range u.uint() {
		c := &compliance.Report{Policy: u.text(), SessionID: s.SessionID, AgentName: s.AgentName}
		c.Passed, c.Failed, c.FailedErrors, c.Skipped = int(u.uint()), int(u.uint()), int(u.uint()), int(u.uint())
		c.FailedWarnings, c.TotalRules = c.Failed-c.FailedErrors, c.Passed+c.Failed+c.Skipped
		c.Compliant = c.FailedErrors == 0
		for range c.Failed {
			c.Results = append(c.Results, compliance.Result{
				Kind: compliance.Kind(u.text()), Severity: compliance.Severity(u.text()), Verdict: compliance.Fail, Message: u.text(),
			})
		}
		rep.verdict.compliance = append(rep.verdict.compliance, c)
	}
	return rep
}

func (u *toldReader) uint() uint64 {
	v, n := binary.Uvarint(*u)
	*u = (*u)[n:]
	return v
}

func (u *toldReader) int() int64 {
	v, n := binary.Varint(*u)
	*u = (*u)[n:]
	return v
}

func (u *toldReader) fixed() uint64 {
	v := binary.LittleEndian.Uint64(*u)
	*u = (*u)[8:]
	return v
}

func (u *toldReader) text() string {
	n := u.uint()
	text := string((*u)[:n])
	*u = (*u)[n:]
	return text
}
