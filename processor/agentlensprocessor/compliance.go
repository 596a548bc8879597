package agentlensprocessor

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/compliance"
)

// policy is a compiled policy and the sessions it is for.
type policy struct {
	checker *compliance.Checker
	agents  []string
	// resource are the attributes that must be there, as attributeOf writes
	// them.
	resource []string
	// results is where those of its rules begin in engines.results.
	results int
}

func newPolicies(cfg ComplianceConfig) (out []policy, results []ruleLabels, err error) {
	for i := range cfg.Policies {
		checker, err := compliance.NewChecker(cfg.Policies[i].policy())
		if err != nil {
			return nil, nil, fmt.Errorf("`compliance::policies::%d`: %w", i, err)
		}
		match := cfg.Policies[i].Match
		p := policy{checker: checker, agents: match.Agents, results: len(results)}
		for _, rule := range cfg.Policies[i].Rules {
			for _, verdict := range verdicts {
				results = append(results, ruleLabels{cfg.Policies[i].Name, string(rule.Kind), string(verdict)})
			}
		}
		for key, value := range match.ResourceAttributes {
			p.resource = append(p.resource, attributeOf(key, value))
		}
		out = append(out, p)
	}
	return out, results, nil
}

// matches reports whether the policy is for a session: one of its agent
// patterns fits, and the resource has all its attributes.
func (p *policy) matches(s *analysis.Summary, resource string) bool {
	for _, attribute := range p.resource {
		if !strings.Contains(resource, attribute) {
			return false
		}
	}
	for _, pattern := range p.agents {
		if ok, _ := path.Match(pattern, s.AgentName); ok {
			return true
		}
	}
	return len(p.agents) == 0
}

// attributeOf writes a resource attribute so that it can be found in a list of
// them, which is their concatenation.
func attributeOf(key, value string) string {
	return "\n" + strconv.Quote(key+"="+value) + "\n"
}

// resourceKeys returns the resource attributes that policies look at, sorted: a
// session keeps no others.
func resourceKeys(cfg ComplianceConfig) []string {
	keys := map[string]bool{}
	for i := range cfg.Policies {
		for key := range cfg.Policies[i].Match.ResourceAttributes {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
