package spanevent

import "go.opentelemetry.io/collector/pdata/ptrace"

// openInference is Arize's convention. Its token counts include the cached
// ones. Chains wrap, whatever they are called.
var openInference = dialect{
	name:   "openinference",
	scopes: []string{"openinference*", "@arizeai/openinference*"},
	keys: []binding{
		{key: "openinference.span.kind", field: fieldKind},
		{key: "llm.provider", field: fieldProvider, rank: rankForeign},
		{key: "llm.system", field: fieldProvider, rank: rankForeign + 1},
		{key: "llm.request.model_name", field: fieldRequestModel, rank: rankForeign},
		{key: "llm.model_name", field: fieldRequestModel, rank: rankForeign + 1},
		{key: "embedding.model_name", field: fieldRequestModel, rank: rankForeign + 2},
		{key: "reranker.model_name", field: fieldRequestModel, rank: rankForeign + 3},
		{key: "llm.response.model_name", field: fieldResponseModel, rank: rankForeign},
		{key: "llm.token_count.prompt", field: fieldTokensIn, rank: rankForeign},
		{key: "llm.token_count.completion", field: fieldTokensOut, rank: rankForeign},
		{key: "llm.token_count.total", field: fieldTokensTotal, rank: rankForeign},
		{key: "llm.token_count.prompt_details.cache_read", field: fieldCacheRead, rank: rankForeign},
		{key: "llm.token_count.prompt_details.cache_input", field: fieldCacheRead, rank: rankForeign + 1},
		{key: "llm.token_count.prompt_details.cache_write", field: fieldCacheWrite, rank: rankForeign},
		{key: "llm.token_count.completion_details.reasoning", field: fieldReasoningTokens, rank: rankForeign},
		{key: "llm.token_count.reasoning_tokens", field: fieldReasoningTokens, rank: rankForeign + 1},
		{key: "llm.finish_reason", field: fieldFinishReasons, rank: rankForeign},
		{key: "llm.cost.total", field: fieldCost, rank: rankForeign},
		{key: "tool.name", field: fieldToolName, rank: rankForeign},
		{key: "tool.id", field: fieldToolID, rank: rankForeign},
		{key: "tool_call.id", field: fieldToolID, rank: rankForeign + 1},
		{key: "tool.parameters", field: fieldToolArguments, rank: rankLast},
		{key: "input.value", field: fieldInput, rank: rankOld},
		{key: "output.value", field: fieldOutput, rank: rankOld},
		{key: "agent.name", field: fieldAgent, rank: rankForeign},
	},
	kinds: map[string]kind{
		"LLM": kindLLM, "EMBEDDING": kindEmbeddings, "RETRIEVER": kindRetrieval, "TOOL": kindTool,
		"AGENT": kindWrapper, "CHAIN": kindWrapper, "RERANKER": kindWrapper, "GUARDRAIL": kindWrapper,
		"EVALUATOR": kindWrapper, "PROMPT": kindWrapper, "DECISION": kindWrapper,
	},
	flatInput:  []string{"llm.input_messages.", "llm.prompts."},
	flatOutput: []string{"llm.output_messages.", "llm.choices.", "llm.completions."},
	content: []string{
		"llm.input_messages.*", "llm.output_messages.*", "llm.prompts.*", "llm.choices.*", "llm.completions.*",
		"llm.invocation_parameters", "llm.prompt_template.*", "llm.tools.*", "llm.function_call",
		"retrieval.documents.*", "reranker.query", "reranker.input_documents.*", "reranker.output_documents.*",
		"embedding.text", "embedding.embeddings.*", "tool.json_schema",
	},
	finish: labelAgentSpan("AGENT"),
}

// labelAgentSpan makes the name of an agent's span the agent's label, where
// spans of agents have the given kind.
func labelAgentSpan(word string) func(*facts, ptrace.Span, *Reading) {
	return func(f *facts, span ptrace.Span, r *Reading) {
		if r.AgentName == "" && f.str(fieldKind) == word {
			r.AgentLabel = span.Name()
		}
	}
}
