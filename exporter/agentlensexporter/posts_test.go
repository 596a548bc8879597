package agentlensexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/internal/spanevent"
)

// What is in order is told only to a backend that does not limit requests.
func TestWhatIsInOrderCostsALimitedBackendNothing(t *testing.T) {
	it := &item{
		reading:  spanevent.Reading{Role: spanevent.RoleSession, SessionID: "s1"},
		findings: []spanevent.Finding{{Tag: "compliance:pass"}, {Tag: "drift:minor_drift", Text: "Drift: minor_drift"}},
	}
	assert.Len(t, postsOf(it, true), 3)
	limited := postsOf(it, false)
	assert.Len(t, limited, 2)
	assert.Equal(t, "drift:minor_drift", limited[0].Tag)
}
