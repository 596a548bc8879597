package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTableIsMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, newTable("series", "n").row("weekly", 7).row("µ", 1.005).write(&b))
	assert.Equal(t, ""+
		"| series | n    |\n"+
		"| ------ | ---  |\n"+
		"| weekly | 7    |\n"+
		"| µ      | 1.00 |\n\n", b.String())
}

func TestRunRefusesBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "alerts"}, {"-runs", "0"}, {"-seed", "x"}} {
		var b bytes.Buffer
		assert.Error(t, run(args, &b), "%v", args)
		assert.Empty(t, b.String())
	}
}
