package agentlensexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis/alert"
	"github.com/agentlens/agentlens-otel/internal/spanevent"
	"github.com/agentlens/agentlens-otel/internal/wire"
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

// A group's name that is longer than the backend takes is cut, not refused, and
// differs from another that is.
func TestAlertGroupsAreCut(t *testing.T) {
	groupOf := func(value string) wire.AlertGroup {
		posts := postsOf(&item{
			reading:  spanevent.Reading{Role: spanevent.RoleEvent, SessionID: "s1"},
			findings: []spanevent.Finding{{Text: "Alert", OnEvent: true, Group: alert.Group{By: "agent", Value: value, StateID: "x"}}},
		}, true)
		require.Len(t, posts, 1)
		return posts[0].Note.AlertGroup
	}
	assert.Equal(t, wire.AlertGroup{By: "agent", Value: "coder", StateID: "x"}, groupOf("coder"))
	long := strings.Repeat("é", wire.MaxStringChars)
	assert.Equal(t, long, groupOf(long).Value)
	assert.Len(t, []rune(groupOf(long+"1").Value), wire.MaxStringChars)
	assert.NotEqual(t, groupOf(long+"1"), groupOf(long+"2"))
}
