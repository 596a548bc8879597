package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTracerProvider(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "POST /orders\n")
	assert.Contains(t, out.String(), "invoke_agent order-agent  (order-4711, 1 links)\n"+
		"  agentlens.session.start  (order-4711)\n"+
		"  execute_tool check_stock  (order-4711, 52)\n"+
		"    GET /stock  (order-4711)\n"+
		"      serve stock  (order-4711)\n"+
		"        SELECT stock  (order-4711)\n")
}
