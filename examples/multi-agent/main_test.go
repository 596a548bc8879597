package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMultiAgent(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	_, tree, ok := strings.Cut(out.String(), "The trace:\n")
	require.True(t, ok)
	researcher := "    invoke_agent researcher  (researcher)\n      execute_tool search  (researcher)\n      chat small-model  (researcher)\n"
	assert.Equal(t, "invoke_agent editor  (editor)\n"+
		"  agentlens.session.start  (editor)\n"+
		"  ask the researchers  (editor)\n"+strings.Repeat(researcher, 3)+
		"  decision  (editor)\n"+
		"  chat large-model  (editor, 3 links)\n"+
		"  execute_tool archive  (editor)\n", tree)
	assert.Contains(t, out.String(), "💡 Reasoning: Three angles are enough")
}
