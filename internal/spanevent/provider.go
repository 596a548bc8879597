package spanevent

import "strings"

// providers translates the words of libraries into those of
// gen_ai.provider.name. A word that names a framework, not a provider,
// translates into nothing.
var providers = map[string]string{
	"openai": "openai", "azure": "azure.ai.openai", "azure_openai": "azure.ai.openai", "az.ai.openai": "azure.ai.openai",
	"azure-openai": "azure.ai.openai", "az.ai.inference": "azure.ai.inference",
	"azure.ai.openai": "azure.ai.openai", "azure.ai.inference": "azure.ai.inference",
	"anthropic": "anthropic", "aws": "aws.bedrock", "bedrock": "aws.bedrock", "aws_bedrock": "aws.bedrock",
	"amazon-bedrock": "aws.bedrock", "aws.bedrock": "aws.bedrock",
	"vertexai": "gcp.vertex_ai", "vertex_ai": "gcp.vertex_ai", "google_vertexai": "gcp.vertex_ai", "google-vertex": "gcp.vertex_ai",
	"google.vertex": "gcp.vertex_ai", "vertex": "gcp.vertex_ai", "gcp.vertex_ai": "gcp.vertex_ai",
	"google": "gcp.gen_ai", "google_genai": "gcp.gen_ai", "googleai": "gcp.gen_ai", "gcp.gen_ai": "gcp.gen_ai",
	"gemini": "gcp.gemini", "google_ai_studio": "gcp.gemini", "google.generative-ai": "gcp.gemini", "gcp.gemini": "gcp.gemini",
	"mistralai": "mistral_ai", "mistral": "mistral_ai", "mistral_ai": "mistral_ai",
	"xai": "x_ai", "x_ai": "x_ai", "cohere": "cohere", "groq": "groq", "deepseek": "deepseek", "perplexity": "perplexity",
	"watsonx": "ibm.watsonx.ai", "ibm_watsonx": "ibm.watsonx.ai", "ibm.watsonx.ai": "ibm.watsonx.ai",
	"moonshot": "moonshot_ai", "moonshotai": "moonshot_ai", "moonshot_ai": "moonshot_ai",

	"langchain": "", "langgraph": "", "llamaindex": "", "crewai": "", "strands-agents": "", "gcp.vertex.agent": "",
	"openai_agents": "", "pydantic-ai": "", "microsoft.agent_framework": "", "mastra": "", "autogen": "", "smolagents": "",
	"gen_ai": "", "unknown": "", "_other": "",
}

// countsApart reports whether the provider of a model counts cached tokens
// apart from the input: Anthropic, and Bedrock, whose models are called
// vendor.model with or without a region before it.
func countsApart(model string) bool {
	if strings.HasPrefix(model, "claude-") {
		return true
	}
	region, rest, _ := strings.Cut(model, ".")
	switch region {
	case "us", "eu", "apac", "global", "us-gov", "jp", "au", "ca":
		model = rest
	}
	vendor, _, ok := strings.Cut(model, ".")
	switch vendor {
	case "anthropic", "amazon", "meta", "mistral", "cohere", "ai21", "deepseek", "qwen", "writer", "openai":
		return ok
	}
	return false
}

// providerName returns the convention's name of a provider. One that is not
// known is kept as it stands.
func providerName(v string) string {
	switch v {
	case "", "openai", "anthropic", "gcp.gemini", "gcp.vertex_ai", "aws.bedrock", "azure.ai.openai": // most calls' need no look-up
		return v
	}
	if providers[v] == v {
		return v
	}
	lower := strings.ToLower(v)
	if name, ok := providers[lower]; ok {
		return name
	}
	// Vercel and Mastra say which of a provider's APIs: "openai.chat".
	if base, _, ok := strings.Cut(lower, "."); ok {
		if name, known := providers[base]; known {
			return name
		}
	}
	return v
}
