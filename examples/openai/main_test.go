package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example runs to its answer, and prints a span for each call.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, ""))
	assert.Contains(t, out.String(), "answer: It is 21 degrees and sunny in Zürich.")
	assert.Equal(t, 2, strings.Count(out.String(), "span  chat gpt-5.1 "))
	assert.Equal(t, 1, strings.Count(out.String(), "span  execute_tool get_weather "))
	assert.Contains(t, out.String(), "gen_ai.usage.input_tokens=92  gen_ai.usage.cache_read.input_tokens=64")
	assert.NotContains(t, out.String(), "error.type")
	assert.Equal(t, strings.Count(out.String(), "span  "), strings.Count(out.String(), "session.id="), "every span is in the session")
}
