package fakeprovider

import (
	"fmt"
	"net/http"
)

func (p *Server) openAI(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Model    string `json:"model"`
		Stream   bool   `json:"stream"`
		Messages []struct {
			Role string `json:"role"`
		} `json:"messages"`
		Tools []struct {
			Function struct {
				Name string `json:"name"`
			} `json:"function"`
		} `json:"tools"`
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if !decode(w, r, &ask) {
		return
	}
	last := ""
	if n := len(ask.Messages); n > 0 {
		last = ask.Messages[n-1].Role
	}
	callsTool := len(ask.Tools) > 0 && last != "tool"
	reason, usage := "stop", object{
		"prompt_tokens": 92, "completion_tokens": 11, "total_tokens": 103,
		"prompt_tokens_details": object{"cached_tokens": 64}, "completion_tokens_details": object{"reasoning_tokens": 0},
	}
	if callsTool {
		reason = "tool_calls"
		usage = object{"prompt_tokens": 64, "completion_tokens": 17, "total_tokens": 81}
	}
	answer := object{"id": p.id("chatcmpl-"), "created": 1, "model": ask.Model + "-2026-01-01", "service_tier": "default"}
	call := object{"index": 0, "id": "call_1", "type": "function"}

	if !ask.Stream {
		message := object{"role": "assistant", "content": finalAnswer}
		if callsTool {
			call["function"] = object{"name": ask.Tools[0].Function.Name, "arguments": arguments}
			message = object{"role": "assistant", "content": nil, "tool_calls": []any{call}}
		}
		answer["object"] = "chat.completion"
		answer["choices"] = []any{object{"index": 0, "message": message, "finish_reason": reason}}
		answer["usage"] = usage
		answerJSON(w, answer)
		return
	}
	s := newStream(w)
	answer["object"] = "chat.completion.chunk"
	send := func(delta object, reason any) {
		answer["choices"] = []any{object{"index": 0, "delta": delta, "finish_reason": reason}}
		s.send("", answer)
	}
	if callsTool {
		call["function"] = object{"name": ask.Tools[0].Function.Name, "arguments": ""}
		send(object{"role": "assistant", "tool_calls": []any{call}}, nil)
		for _, piece := range pieces(arguments) {
			send(object{"tool_calls": []any{object{"index": 0, "function": object{"arguments": piece}}}}, nil)
		}
	} else {
		for _, piece := range pieces(finalAnswer) {
			send(object{"role": "assistant", "content": piece}, nil)
		}
	}
	send(object{}, reason)
	if ask.StreamOptions.IncludeUsage {
		answer["choices"], answer["usage"] = []any{}, usage
		s.send("", answer)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}
