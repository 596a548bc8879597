package pricing_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

// Names as spans carry them, against the embedded table.
func TestNames(t *testing.T) {
	table := pricing.Default()
	for _, c := range []struct {
		provider, model string
		// want is "provider model" in the table's ids, "" for no price.
		want string
	}{
		{"openai", "gpt-4o", "openai gpt-4o"},
		{"OpenAI", " GPT-4o\n", "openai gpt-4o"},
		{"openai", "gpt-4o-2024-08-06", "openai gpt-4o"},
		{"openai", "gpt-4o-2099-01-01", "openai gpt-4o"},
		{"openai", "gpt-4o-20990101", "openai gpt-4o"},
		{"openai", "gpt-4o-2099-13-01", ""},
		{"openai", "openai/gpt-4o", "openai gpt-4o"},
		{"openai", "anthropic/gpt-4o", ""},
		{"openai.responses", "gpt-4.1-mini", "openai gpt-4.1-mini"},
		{"openai", "my-gpt-4o", ""},

		{"azure.ai.openai", "gpt-4o", "azure gpt-4o"},
		{"az.ai.openai", "openai/gpt-4o", "azure gpt-4o"},
		{"azure-openai.chat", "azure/gpt-4o", "azure gpt-4o"},
		{"azure.ai.inference", "DeepSeek-R1", "azure deepseek-reasoner"},
		{"Microsoft Azure", "gpt-4o", "azure gpt-4o"},

		{"anthropic", "claude-sonnet-4-20250514", "anthropic claude-sonnet-4-0"},
		{"anthropic.messages", "anthropic/claude-3-5-sonnet-20241022", "anthropic claude-3-5-sonnet"},
		{"anthropic", "us.anthropic.claude-sonnet-4-20250514-v1:0", "aws regional.anthropic.claude-sonnet-4-20250514-v1:0"},

		{"aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", "aws regional.anthropic.claude-sonnet-4-20250514-v1:0"},
		{"aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws global.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "aws regional.anthropic.claude-3-5-sonnet-20241022-v2:0"},
		{"aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0", "aws regional.anthropic.claude-3-7-sonnet-20250219-v1:0"},
		{"aws.bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "aws amazon.nova-pro-v1:0"},
		{"aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3", ""},
		{"amazon_bedrock", "bedrock/converse/us.amazon.nova-lite-v1:0", "aws amazon.nova-lite-v1:0"},

		{"gcp.vertex_ai", "claude-sonnet-4@20250514", "google claude-4-sonnet"},
		{"gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google gemini-2.5-pro"},
		{"gcp.vertex_ai", "projects/p/locations/us-central1/publishers/anthropic/models/claude-haiku-4-5@20251001", "google claude-haiku-4-5"},
		{"vertexai", "gemini-2.5-pro@default", "google gemini-2.5-pro"},
		{"gcp.gemini", "models/gemini-2.0-flash", "google gemini-2.0-flash"},
		{"gcp.gen_ai", "gemini-2.5-flash-lite", "google gemini-2.5-flash-lite"},
		{"google.generative-ai", "gemini/gemini-2.5-flash", "google gemini-2.5-flash"},
		{"gcp.gemini", "gemini-2.5-flash-preview-tts", "google gemini-2.5-flash-tts"},

		{"mistral_ai", "mistral-large-latest", "mistral mistral-large"},
		{"x_ai", "xai/grok-4", "x-ai grok-4-0709"},
		{"moonshot_ai", "kimi-k2-0905-preview", "moonshotai kimi-k2-0905-preview"},
		{"deepseek", "deepseek-chat", "deepseek deepseek-chat"},
		{"groq", "openai/gpt-oss-120b", "groq openai/gpt-oss-120b"},
		{"cohere", "command-r-plus-08-2024", "cohere command-r-plus"},
		{"perplexity", "perplexity/sonar-pro", "perplexity sonar-pro"},
		{"together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "together meta-llama/Llama-3.3-70B-Instruct-Turbo"},
		{"openrouter", "anthropic/claude-sonnet-4", "openrouter anthropic/claude-sonnet-4"},
		{"ibm.watsonx.ai", "ibm/granite-3-8b-instruct", ""},
		{"ollama", "gpt-4o", ""},

		{"", "gpt-4o", "openai gpt-4o"},
		{"", "gpt-5-20250807", "openai gpt-5"},
		{"", "models/gemini-2.5-pro", "google gemini-2.5-pro"},
		{"", "openai/gpt-4o", ""},
		{"", "us.anthropic.claude-sonnet-4-20250514-v1:0", ""},
		{"litellm", "openai/gpt-4o", "openai gpt-4o"},
		{"litellm", "gpt-4o", "openai gpt-4o"},
		{"litellm", "bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", "aws regional.anthropic.claude-sonnet-4-20250514-v1:0"},
		{"litellm", "elsewhere/gemini-2.0-flash", "google gemini-2.0-flash"},
		{"Langchain", "gpt-4o", "openai gpt-4o"},
	} {
		got, ok := table.Cost(pricing.Query{Provider: c.provider, Model: c.model, Usage: tokens(1, 1, -1, -1)})
		name := ""
		if ok {
			name = got.Provider + " " + got.Model
		}
		assert.Equal(t, c.want, name, "%s %s", c.provider, c.model)
	}
}
