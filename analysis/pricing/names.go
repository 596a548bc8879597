package pricing

import (
	"strings"
	"time"
)

// isGateway reports whether a name is not of who bills a call but of a gateway
// or framework, behind which the model's name may begin with the provider. The
// table itself knows litellm as such.
func isGateway(providerName string) bool {
	switch providerName {
	case "litellm", "litellm_proxy", "gateway", "langchain", "langgraph", "llamaindex", "llama_index", "crewai", "haystack":
		return true
	}
	return false
}

// aliases are the names of providers, as OpenTelemetry and libraries write
// them, that the table itself does not know or gives to somebody else.
var aliases = map[string]string{
	// OpenTelemetry, gen_ai.provider.name and gen_ai.system.
	"gcp.gen_ai":         "google",
	"gcp.gemini":         "google",
	"gcp.vertex_ai":      "google",
	"gcp.vertex.agent":   "google",
	"aws.bedrock":        "aws",
	"azure.ai.openai":    "azure",
	"azure.ai.inference": "azure",
	"az.ai.openai":       "azure",
	"az.ai.inference":    "azure",
	"mistral_ai":         "mistral",
	"moonshot_ai":        "moonshotai",
	"x_ai":               "x-ai",
	"z_ai":               "zai",
	"minimax_ai":         "minimax",
	// OpenInference, OpenLLMetry, LangChain, LiteLLM, the Vercel AI SDK.
	"azure-openai":           "azure",
	"azure_openai":           "azure",
	"azureopenai":            "azure",
	"azure_ai":               "azure",
	"bedrock":                "aws",
	"vertex":                 "google",
	"vertexai":               "google",
	"googlevertex":           "google",
	"fireworks_ai":           "fireworks",
	"fireworks-ai":           "fireworks",
	"fireworksai":            "fireworks",
	"togetherai":             "together",
	"perplexityai":           "perplexity",
	"perplexity_ai":          "perplexity",
	"novita_ai":              "novita",
	"voyage_ai":              "voyageai",
	"zhipu":                  "zhipuai",
	"zhipu_ai":               "zhipuai",
	"cohere_chat":            "cohere",
	"text-completion-openai": "openai",
}

// nameProviders lets providers be found by id, by the table's names and by
// aliases; an id wins over a name, and that over an alias.
func (t *Table) nameProviders(in []*providerJSON) {
	add := func(name string, p *provider) {
		if p != nil && name != "" && t.byName[name] == nil {
			t.byName[name] = p
		}
	}
	for _, p := range t.providers {
		add(p.id, p)
	}
	for i, p := range t.providers {
		add(normalize(in[i].Name), p)
	}
	for alias, id := range aliases {
		add(alias, t.byID(id))
	}
}

// pricedAsStandard reports whether a service tier costs what the table says.
func pricedAsStandard(serviceTier string) bool {
	switch serviceTier {
	case "", "default", "standard", "auto", "on_demand":
		return true
	}
	return false
}

// withoutPath takes off what leads to a model's name: an ARN, a resource name
// of Google's, and the route that LiteLLM puts behind "bedrock/".
func withoutPath(name string) string {
	if strings.HasPrefix(name, "arn:") {
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			return name[i+1:]
		}
		return name
	}
	const models = "models/"
	if i := strings.LastIndex(name, models); i == 0 || i > 0 && name[i-1] == '/' {
		return name[i+len(models):]
	}
	for _, route := range [...]string{"converse/", "converse_like/", "invoke/"} {
		if rest, ok := strings.CutPrefix(name, route); ok {
			return rest
		}
	}
	return name
}

// isBedrockName reports whether only Bedrock calls a model so. Anthropic's SDK
// says "anthropic" for Bedrock too.
func isBedrockName(name string) bool {
	return strings.HasPrefix(name, "arn:aws") || strings.HasPrefix(name, "anthropic.claude-") || strings.Contains(name, ".anthropic.claude-")
}

// withoutVersion takes off the date, or Vertex's "@…", with which providers mark
// a snapshot of a model. Where a snapshot has its own price the table spells it
// out, so this comes last.
func withoutVersion(name string) (string, bool) {
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		return name[:i], true
	}
	for _, layout := range [...]string{"-2006-01-02", "-20060102"} {
		if i := len(name) - len(layout); i > 0 && isDate(name[i:], layout) {
			return name[:i], true
		}
	}
	return "", false
}

// spellDates writes "-20250807" as "-2025-08-07" wherever it is a date that
// ends at "-", ":" or the end of the name.
func spellDates(name string) string {
	const layout = "-20060102"
	for i := 0; i+len(layout) <= len(name); i++ {
		end := i + len(layout)
		if isDate(name[i:end], layout) && (end == len(name) || name[end] == '-' || name[end] == ':') {
			name = name[:i+5] + "-" + name[i+5:i+7] + "-" + name[i+7:]
		}
	}
	return name
}

// isDate reports whether s is a date of this century in the layout, which
// begins with "-".
func isDate(s, layout string) bool {
	if !strings.HasPrefix(s, "-20") {
		return false
	}
	_, err := time.Parse(layout, s)
	return err == nil
}
