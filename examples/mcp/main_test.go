package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each call has a span at either end, and the failed one says so.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, ""))
	assert.Equal(t, 4, strings.Count(out.String(), "span  tools/call get_weather "))
	assert.Equal(t, 2, strings.Count(out.String(), "error.type=tool_error"))
	assert.Contains(t, out.String(), `weather in "Zürich": map[degrees:21], failed: false`)
}
