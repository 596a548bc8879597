package spanevent

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// kind is what a span is, in the reader's own words.
type kind uint8

const (
	kindUnknown kind = iota
	kindLLM
	kindEmbeddings
	kindRetrieval
	kindTool
	// kindWrapper surrounds spans that tell the events; kindNone is GenAI
	// bookkeeping that is not even that.
	kindWrapper
	kindNone
)

// dialect says how one library or convention writes GenAI spans. It is data:
// to read another dialect, add one file with one of these and list it in
// dialects.
type dialect struct {
	name string
	// scopes are the instrumentation scopes that write it; a trailing * makes
	// one a prefix.
	scopes []string
	// keys says what its attributes mean.
	keys []binding
	// ownKeys are keys too common to be read unless the scope is the dialect's.
	ownKeys []binding
	// kinds translates the values of fieldKind.
	kinds map[string]kind
	// names translates span names, for a dialect's own scope, when no
	// attribute says what the span is. A name that is kindNone is that
	// whatever the attributes say.
	names map[string]kind
	// prefixes does the same for names that end in a name of their own.
	prefixes map[string]kind
	// otherwise is what a span under its own scope is when nothing tells.
	otherwise kind
	// flatInput and flatOutput are prefixes of keys over which messages are
	// spread, as in llm.input_messages.0.message.role.
	flatInput, flatOutput []string
	// content lists further keys that hold prompts, messages or tool data, for
	// the content policy; a trailing * makes one a prefix. Keys bound to a
	// content field need not be repeated.
	content []string
	// exclusive says that input tokens written under the dialect's own scope
	// do not include the cached ones.
	exclusive bool
	// asProvider says that token counts are handed on as the provider gives
	// them: Anthropic and Bedrock count the cached ones apart.
	asProvider bool
	// exceptionFails says that a span with an exception event has failed even
	// when its status is OK.
	exceptionFails bool
	// cumulative says that the totals of a wrapper go on from one run of an
	// agent to the next.
	cumulative bool
	// finish mends what tables cannot say. It may be nil.
	finish func(f *facts, span ptrace.Span, r *Reading)

	bit     uint64
	ownKeyM map[string]*binding
	// ownLengths has the bits of the lengths of the own keys of less than 64 bytes.
	ownLengths uint64
}

// binding gives a key its meaning.
type binding struct {
	key   string
	field field
	// rank decides between keys of one meaning: the lower wins.
	rank uint8
	// expand, when set, reads fields out of a value that holds several.
	expand func(f *facts, v pcommon.Value)
	// implies is what a span with this key is when nothing else says.
	implies kind

	dialect uint64 // bits of the dialects it belongs to
	// words are of the key, alike is the place in the index of another with the same
	// hash, 0 for none.
	words words
	alike uint16
}

// Ranks of bindings. A current gen_ai value is never overridden.
const (
	rankCurrent uint8 = iota * 10
	rankForeign
	rankOld
	rankLast
)

// dialects lists every dialect that is read. Where two give one key a meaning,
// the earlier wins.
var dialects = []*dialect{
	&agentLens, &genAI, &general,
	&openInference, &openLLMetry, &openLLMetryAnthropicJS, &vercelAI, &langfuse, &langSmith,
	&strands, &googleADK, &mastra, &genkit, &pydanticAI, &logfire, &logfireClients, &logfireAgents, &voltAgent, &laminar, &openLIT,
	&claudeCode, &anthropicSDK, &codex, &geminiCLI, &agentFramework, &mcp, &liteLLM, &agentOps, &mlflow, &sentry, &springAI, &liveKit,
}
