package otelgenai

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

const (
	textCandidates = `[{"content":{"parts":[{"text":"Zürich \"has\""},{"text":"hm","thought":true},{"text":""}],"role":"model"},"index":0,` +
		`"safetyRatings":[{"category":"A","probability":"LOW","blocked":false}]},{"index":1,"finishReason":"STOP","avgLogprobs":-0.25}]`
	toolCandidates = `[{"content":{"parts":[{"text":"a"},{"functionCall":{"name":"get","args":{"a":1}}},{"text":"b","thoughtSignature":"EqQB"}]}}]`
	usageJSON      = `{"promptTokenCount":7,"candidatesTokenCount":12,"totalTokenCount":19,"thoughtsTokenCount":3,"cachedContentTokenCount":0,` +
		`"toolUsePromptTokenCount":1,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7}]}`
)

// outputs returns what a reader makes of the pieces.
func outputs(list []piece) string {
	var r reader
	var call genaihttp.Call
	for i := range list {
		r.collect(&list[i])
	}
	r.Finish(&call)
	return fmt.Sprintf("%+v", call.Output)
}

// What is read without encoding/json is what is read with it.
func TestScanSaysWhatDecodeSays(t *testing.T) {
	var p pieces // used again, as for each event of a stream
	var got usage
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(genaitest.Mutate(t, rapid.SampledFrom([]string{textCandidates, toolCandidates}).Draw(t, "candidates")))
		if p.scan(raw) {
			list, ok := decode(raw)
			require.True(t, ok, "%q", raw)
			require.Equal(t, outputs(list), outputs(p.list), "%q", raw)
		}
		raw = []byte(genaitest.Mutate(t, usageJSON))
		var want usage
		if got.scan(&p.cursor, raw) {
			require.NoError(t, json.Unmarshal(raw, &want), "%q", raw)
			require.Equal(t, want, got, "%q", raw)
		}
	})
}

func TestScanReadsWhatTheServerSends(t *testing.T) {
	var p pieces
	assert.True(t, p.scan([]byte(textCandidates)))
	assert.False(t, p.scan([]byte(toolCandidates)), "which is for encoding/json")
	assert.True(t, new(usage).scan(&p.cursor, []byte(usageJSON)))
}
