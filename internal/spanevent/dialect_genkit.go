package spanevent

import (
	"encoding/json"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/agentlens/agentlens-otel/analysis"
)

// genkit tells all in genkit:* keys: what a span is by its subtype, the tokens
// of a model within the JSON of its output.
var genkit = dialect{
	name:   "genkit",
	scopes: []string{"genkit*"},
	keys: []binding{
		{key: "genkit:metadata:subtype", field: fieldKind},
		{key: "genkit:type", implies: kindWrapper},
		{key: "genkit:name", field: fieldEntity, rank: rankForeign},
		{key: "genkit:input", field: fieldInput, rank: rankOld},
		{key: "genkit:output", field: fieldOutput, rank: rankOld},
		{key: "genkit:state", expand: outcome},
		{key: "genkit:sessionId", field: fieldConversation, rank: rankForeign},
		{key: "genkit:metadata:flow:name", field: fieldAgentLabel},
	},
	kinds: map[string]kind{
		"model": kindLLM, "background-model": kindLLM, "tool": kindTool, "tool.v2": kindTool,
		"embedder": kindEmbeddings, "retriever": kindRetrieval,
		"flow": kindWrapper, "util": kindWrapper, "prompt": kindWrapper, "agent": kindWrapper,
	},
	content: []string{"genkit:init", "genkit:metadata:context"},
	finish:  finishGenkit,
}

// genkitOutput is the output of a model.
type genkitOutput struct {
	Custom struct {
		ID    string `json:"id"`
		Model string `json:"model"`
	} `json:"custom"`
	Usage struct {
		Input    *int64 `json:"inputTokens"`
		Output   *int64 `json:"outputTokens"`
		Total    *int64 `json:"totalTokens"`
		Thoughts *int64 `json:"thoughtsTokens"`
		Cached   *int64 `json:"cachedContentTokens"`
	} `json:"usage"`
}

func finishGenkit(f *facts, span ptrace.Span, r *Reading) {
	if r.Role != RoleEvent {
		return
	}
	r.FiguresInContent = true
	e := &r.Event
	entity := firstOf(f.str(fieldEntity), span.Name())
	if e.ToolCall != nil && !f.has(fieldToolName) {
		e.ToolCall.Name = entity
	}
	if e.Type != analysis.EventLLMCall && e.Type != "embeddings" {
		return
	}
	if e.Model == "" {
		// Its plugin, then the model: "googleai/gemini-2.5-flash".
		e.Model = entity
		if plugin, model, ok := strings.Cut(entity, "/"); ok {
			if name, known := providers[strings.ToLower(plugin)]; known {
				e.Provider, e.Model = firstOf(e.Provider, name), model
			}
		}
	}
	var out genkitOutput
	if json.Unmarshal([]byte(f.str(fieldOutput)), &out) != nil {
		return
	}
	e.ResponseID = firstOf(e.ResponseID, out.Custom.ID)
	e.ResponseModel = firstOf(e.ResponseModel, out.Custom.Model)
	u := &out.Usage
	setCount(&e.TokensIn, u.Input)
	setCount(&e.TokensOut, u.Output)
	setCount(&e.CacheReadTokens, u.Cached)
	setCount(&e.ReasoningTokens, u.Thoughts)
	in, outTokens, thoughts := e.TokensIn.Or(0), e.TokensOut.Or(0), e.ReasoningTokens.Or(0)
	// Some plugins count thoughts beside the output; the total tells.
	if e.TokensOut.OK && (thoughts > outTokens || u.Total != nil && thoughts > 0 && *u.Total == plus(in, plus(outTokens, thoughts))) {
		e.TokensOut.V = plus(outTokens, thoughts)
	}
}

func setCount(to *analysis.Opt[int64], n *int64) {
	if !to.OK && n != nil && *n >= 0 {
		*to = analysis.Some(*n)
	}
}
