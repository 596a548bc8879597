package fakeprovider

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (p *Server) anthropic(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Model    string `json:"model"`
		Stream   bool   `json:"stream"`
		Messages []struct {
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
	}
	if !decode(w, r, &ask) {
		return
	}
	last := ""
	if n := len(ask.Messages); n > 0 {
		last = string(ask.Messages[n-1].Content)
	}
	reason := "end_turn"
	block := object{"type": "text", "text": finalAnswer}
	if len(ask.Tools) > 0 && !strings.Contains(last, `"tool_result"`) {
		reason = "tool_use"
		block = object{"type": "tool_use", "id": "toolu_1", "name": ask.Tools[0].Name, "input": json.RawMessage(arguments)}
	}
	// Input tokens do not include the cached ones, as with the real one.
	usage := object{"input_tokens": 21, "cache_read_input_tokens": 1024, "cache_creation_input_tokens": 128, "output_tokens": 19, "service_tier": "standard"}
	message := object{"id": p.id("msg_"), "type": "message", "role": "assistant", "model": ask.Model, "usage": usage}
	if !ask.Stream {
		message["content"], message["stop_reason"] = []any{block}, reason
		answerJSON(w, message)
		return
	}

	s := newStream(w)
	send := func(event string, v object) {
		v["type"] = event
		s.send(event, v)
	}
	usage["output_tokens"] = 1
	message["content"] = []any{}
	send("message_start", object{"message": message})
	delta, text := "text_delta", finalAnswer
	field := "text"
	if reason == "tool_use" {
		block["input"] = object{}
		delta, text, field = "input_json_delta", arguments, "partial_json"
	} else {
		block["text"] = ""
	}
	send("content_block_start", object{"index": 0, "content_block": block})
	for _, piece := range pieces(text) {
		send("content_block_delta", object{"index": 0, "delta": object{"type": delta, field: piece}})
	}
	send("content_block_stop", object{"index": 0})
	send("message_delta", object{"delta": object{"stop_reason": reason}, "usage": object{"output_tokens": 19}})
	send("message_stop", object{})
}
