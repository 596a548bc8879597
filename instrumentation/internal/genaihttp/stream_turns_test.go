package genaihttp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

// A stream may go on with a text after it has begun another.
func TestTextsThatComeInTurns(t *testing.T) {
	all := streams()
	for _, c := range []struct {
		name   string
		stream stream
		events []string
		want   string
	}{
		{"choices", all[0], []string{
			`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"A1"}}]}` + "\n\n",
			`data: {"choices":[{"index":1,"delta":{"role":"assistant","content":"B1"}}]}` + "\n\n",
			`data: {"choices":[{"index":0,"delta":{"content":"A2"}},{"index":2,"delta":{"content":"C1"}}]}` + "\n\n",
			`data: {"choices":[{"index":1,"delta":{"content":"B2"},"finish_reason":"stop"},{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n",
			"data: [DONE]\n\n",
		}, `[{"role":"assistant","parts":[{"type":"text","content":"A1A2"}],"finish_reason":"length"},
			{"role":"assistant","parts":[{"type":"text","content":"B1B2"}],"finish_reason":"stop"},
			{"role":"assistant","parts":[{"type":"text","content":"C1"}]}]`},
		{"tool calls", all[0], []string{
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"[1"}}]}}]}` + "\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}}]}` + "\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":",2]"}},{"index":1,"function":{"arguments":"}"}}]}}]}` + "\n\n",
			"data: [DONE]\n\n",
		}, `[{"role":"assistant","parts":[{"type":"tool_call","id":"a","name":"f","arguments":[1,2]},{"type":"tool_call","id":"b","name":"g","arguments":{}}]}]`},
		{"blocks", all[3], []string{
			`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"A1"}}` + "\n\n",
			`data: {"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":""}}` + "\n\n",
			`data: {"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"B1"}}` + "\n\n",
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"A2"}}` + "\n\n",
			`data: {"type":"message_stop"}` + "\n\n",
		}, `[{"role":"assistant","parts":[{"type":"text","content":"A1A2"},{"type":"reasoning","content":"B1"}]}]`},
		{"candidates", all[4], []string{
			`data: {"candidates":[{"content":{"parts":[{"text":"A1"}]},"index":0},{"content":{"parts":[{"text":"B1"}]},"index":1}]}` + "\n\n",
			`data: {"candidates":[{"content":{"parts":[{"text":"A2"}]},"index":0,"finishReason":"STOP"},{"content":{"parts":[{"text":"B2"}]},"index":1}]}` + "\n\n",
		}, `[{"role":"assistant","parts":[{"type":"text","content":"A1A2"}],"finish_reason":"stop"},{"role":"assistant","parts":[{"type":"text","content":"B1B2"}]}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.stream.events = c.events
			spans := genaitest.NewRecorder()
			newPlayer(&c.stream).play(t, c.stream.middleware(genaihttp.WithTracerProvider(spans), genaihttp.WithCapture(agentlens.CaptureFull)))
			output, _ := genaitest.Attributes(spans.One(t))["gen_ai.output.messages"].(string)
			assert.JSONEq(t, c.want, output)
		})
	}
}
