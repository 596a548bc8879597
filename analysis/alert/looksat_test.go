package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLooksAt(t *testing.T) {
	rules, err := NewRuleSet([]Rule{
		{Name: "pattern", Condition: Condition{Type: Pattern, Field: "output_data", Pattern: "x"}},
		{Name: "nested", Condition: Condition{Type: Composite, Mode: "any", Conditions: []Condition{
			{Type: Aggregate, Metric: "tool_output.score", AggFunc: "sum", Op: ">", Value: 1},
			{Type: Threshold, Field: "tokens_in", Op: ">", Value: 1},
		}}},
	})
	require.NoError(t, err)
	for field, want := range map[string]bool{
		"output_data": true, "tool_output": true, "tokens_in": true, "input_data": false, "tool_input": false, "model": false,
	} {
		assert.Equal(t, want, rules.LooksAt(field), field)
	}
}
