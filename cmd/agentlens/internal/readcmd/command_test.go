package readcmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const captures = "../../../../internal/sessions/testdata/captures"

func run(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := NewCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestReadsAFile(t *testing.T) {
	out, err := run(t, "", filepath.Join(captures, "openinference-anthropic", "trace.jsonl"))
	require.NoError(t, err)
	assert.Contains(t, out, "9 spans, 9 of them GenAI, 1 sessions")
	assert.Regexp(t, `sess-42 +support-agent +\w+ +3 +330 +224 +60`, out)
	assert.Contains(t, out, "web_search ×1")
	assert.Equal(t, 3, strings.Count(out, "llm_call (told before)"), out)
	assert.NotContains(t, out, "What is OTel GenAI?", "content is not printed")
}

func TestJSON(t *testing.T) {
	out, err := run(t, "", "--json", filepath.Join(captures, "vercel-ai-v7-otel", "trace.jsonl"))
	require.NoError(t, err)
	var got result
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Sessions, 2)
	assert.False(t, got.Sessions[0].Named)
	assert.Len(t, got.Listed, 9)
	byName := map[string]span{}
	for _, s := range got.Listed {
		byName[s.Name] = s
	}
	assert.Equal(t, "wrapper", byName["step 1"].Role)
	assert.Equal(t, "unknown operation", byName["step 1"].Rule)
	assert.True(t, byName["chat gpt-4o-mini"].Counted)
}

// One request, pretty-printed, is as good as many, one a line.
func TestReadsOneRequest(t *testing.T) {
	lines, err := os.ReadFile(filepath.Join(captures, "otel-openai", "trace.jsonl"))
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, bytes.SplitN(lines, []byte("\n"), 2)[0], "", "  "))
	out, err := run(t, pretty.String(), "-")
	require.NoError(t, err)
	assert.Contains(t, out, "sess-42")
}

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty":    {"", "the file is empty"},
		"not JSON": {"{\"resourceSpans\":[]}\nnope", "request 2, after byte 20, is not JSON"},
		"not OTLP": {`{"resourceSpans":7}`, "request 1, before byte 19, is not OTLP"},
	} {
		_, err := run(t, c.content, "-")
		assert.ErrorContains(t, err, c.want, name)
	}
	_, err := run(t, "", "no such file")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
