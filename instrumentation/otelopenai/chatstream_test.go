package otelopenai

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

const (
	textChoice = `[{"index":0,"delta":{"role":"assistant","content":"Zürich \"has\"\n3","refusal":null},"logprobs":null,"finish_reason":null}]`
	toolChoice = `[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"get","arguments":"{\"a\":"}},` +
		`{"index":1,"function":{"arguments":"1"}}]},"finish_reason":"tool_calls"},{"index":1,"delta":{"refusal":"no","reasoning":"hm"}}]`
	otherChoice = `[{"index":2,"delta":{"reasoning_content":"so","reasoning":"what","name":"n","tool_call_id":"i"},"finish_reason":""},{"text":"x","index":1,"logprobs":{"tokens":["a"],"p":[-0.5]},"finish_reason":"stop"}]`
)

func shown(list []piece) string { return fmt.Sprintf("%v", list) }

// What is read without encoding/json is what is read with it.
func TestScanSaysWhatDecodeSays(t *testing.T) {
	var p pieces // used again, as for each event of a stream
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(genaitest.Mutate(t, rapid.SampledFrom([]string{textChoice, toolChoice, otherChoice}).Draw(t, "choices")))
		if !p.scan(raw) {
			return
		}
		list, ok := p.decode(raw)
		require.True(t, ok, "%q", raw)
		require.Equal(t, shown(list), shown(p.list), "%q", raw)
		var ends []closing
		require.NoError(t, json.Unmarshal(raw, &ends))
		for i, end := range ends {
			require.Equal(t, end, closing{p.list[i].index, string(p.list[i].reason)}, "%q", raw)
		}
	})
}

func TestScanReadsWhatServersSend(t *testing.T) {
	for _, raw := range []string{textChoice, toolChoice, otherChoice, `[]`, `[{"delta":{}}]`} {
		assert.True(t, new(pieces).scan([]byte(raw)), raw)
	}
	// For encoding/json.
	for _, raw := range []string{
		`null`, `[null]`, `[{"delta":{"content":[{"type":"text"}]}}]`, `[{"delta":{"tool_calls":[{"custom":{"input":"x"}}]}}]`, `[{"message":{"content":"x"}}]`,
		`[{"delta":{"content":"x"},"Delta":{"content":"y"}}]`, `[{"delta":{"name":1}}]`,
	} {
		assert.False(t, new(pieces).scan([]byte(raw)), raw)
	}
}
