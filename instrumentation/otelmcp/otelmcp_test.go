package otelmcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelmcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type weatherInput struct {
	City string `json:"city"`
}

type weatherOutput struct {
	Degrees int `json:"degrees"`
}

// setup is a client and a server of the SDK's, connected, with the middlewares
// at one or both of them.
type setup struct {
	client, server *genaitest.Recorder
	session        *mcp.ClientSession
	// meta is the _meta that reached the tool last.
	meta map[string]any
	hang chan struct{}
}

func newSetup(t testing.TB, instrumented bool, opts ...otelmcp.Option) *setup {
	t.Setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
	s := &setup{client: genaitest.NewRecorder(), server: genaitest.NewRecorder(), hang: make(chan struct{})}
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "get_weather"}, func(ctx context.Context, req *mcp.CallToolRequest, in weatherInput) (*mcp.CallToolResult, weatherOutput, error) {
		s.meta = req.Params.GetMeta()
		switch in.City {
		case "Atlantis":
			return nil, weatherOutput{}, errors.New("no such city")
		case "Nowhere":
			return nil, weatherOutput{}, &jsonrpc.Error{Code: -32050, Message: "lost"}
		case "Far":
			close(s.hang)
			<-ctx.Done()
			return nil, weatherOutput{}, ctx.Err()
		}
		return nil, weatherOutput{21}, nil
	})
	server.AddPrompt(&mcp.Prompt{Name: "greet"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{}}, nil
	})
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	if instrumented {
		client.AddSendingMiddleware(otelmcp.ClientMiddleware(append(opts, otelmcp.WithTracerProvider(s.client))...))
		server.AddReceivingMiddleware(otelmcp.ServerMiddleware(append(opts, otelmcp.WithTracerProvider(s.server))...))
	}
	toServer, toClient := mcp.NewInMemoryTransports()
	serving, err := server.Connect(t.Context(), toClient, nil)
	require.NoError(t, err)
	s.session, err = client.Connect(t.Context(), toServer, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, s.session.Close())
		_ = serving.Wait()
	})
	s.client.Spans()
	s.server.Spans()
	return s
}

func (s *setup) call(ctx context.Context, city string) (*mcp.CallToolResult, error) {
	return s.session.CallTool(ctx, &mcp.CallToolParams{Name: "get_weather", Arguments: weatherInput{city}})
}

func version(t *testing.T, attrs map[string]any) map[string]any {
	t.Helper()
	assert.NotEmpty(t, attrs["mcp.protocol.version"])
	delete(attrs, "mcp.protocol.version")
	return attrs
}

// A call is an execute_tool at the client and one at the server, in one trace,
// and the collector reads a call of the tool in each.
func TestCallTool(t *testing.T) {
	s := newSetup(t, true, otelmcp.WithCapture(otelmcp.CaptureFull))
	result, err := s.call(t.Context(), "Zürich")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"degrees": 21.0}, result.StructuredContent)

	client, server := s.client.One(t), s.server.One(t)
	want := map[string]any{
		"mcp.method.name":            "tools/call",
		"gen_ai.operation.name":      "execute_tool",
		"gen_ai.tool.name":           "get_weather",
		"gen_ai.tool.call.arguments": `{"city":"Zürich"}`,
		"gen_ai.tool.call.result":    `{"degrees":21}`,
	}
	for kind, span := range map[trace.SpanKind]tracetest.SpanStub{trace.SpanKindClient: client, trace.SpanKindServer: server} {
		assert.Equal(t, "tools/call get_weather", span.Name)
		assert.Equal(t, kind, span.SpanKind)
		assert.Equal(t, codes.Unset, span.Status.Code)
		assert.Equal(t, want, version(t, genaitest.Attributes(span)))
		r := genaitest.Read(t, span)
		assert.Equal(t, analysis.EventToolCall, r.Event.Type)
		require.NotNil(t, r.Event.ToolCall)
		assert.Equal(t, "get_weather", r.Event.ToolCall.Name)
		assert.JSONEq(t, `{"city":"Zürich"}`, string(r.Event.ToolCall.Input))
		assert.JSONEq(t, `{"degrees":21}`, string(r.Event.ToolCall.Output))
		assert.Nil(t, r.Event.Error)
	}
	assert.Equal(t, client.SpanContext.TraceID(), server.SpanContext.TraceID())
	assert.Equal(t, client.SpanContext.SpanID(), server.Parent.SpanID())
	assert.True(t, server.Parent.IsRemote())
}

// The trace context goes along; baggage does not, and the caller's parameters
// stay as they are.
func TestMeta(t *testing.T) {
	s := newSetup(t, true)
	member, err := baggage.NewMember("session.id", "secret")
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	params := &mcp.CallToolParams{Name: "get_weather", Arguments: weatherInput{"Bern"}, Meta: mcp.Meta{"mine": "x"}}
	before, err := json.Marshal(params)
	require.NoError(t, err)
	_, err = s.session.CallTool(baggage.ContextWithBaggage(t.Context(), bag), params)
	require.NoError(t, err)
	span := s.client.One(t)
	assert.Equal(t, "x", s.meta["mine"])
	assert.Contains(t, s.meta["traceparent"], span.SpanContext.SpanID().String())
	assert.NotContains(t, s.meta, "baggage")
	assert.NotContains(t, params.Meta, "traceparent")
	if _, ok := params.Meta["io.modelcontextprotocol/protocolVersion"]; !ok {
		after, err := json.Marshal(params)
		require.NoError(t, err)
		assert.Equal(t, string(before), string(after))
	}
	for key := range genaitest.Attributes(span) {
		assert.NotContains(t, key, "arguments", "content is off by default")
	}
}

// Inside a span that executes the tool there is no second one.
func TestInsideExecuteTool(t *testing.T) {
	s := newSetup(t, true)
	run := func(operation, tool string) tracetest.SpanStubs {
		ctx, span := s.client.Tracer("agent").Start(t.Context(), "mine", trace.WithAttributes(
			attribute.String("gen_ai.operation.name", operation), attribute.String("gen_ai.tool.name", tool)))
		_, err := s.call(ctx, "Bern")
		require.NoError(t, err)
		span.End()
		return s.client.Spans()
	}
	spans := run("execute_tool", "get_weather")
	require.Len(t, spans, 1)
	assert.Equal(t, "mine", spans[0].Name)
	assert.Equal(t, "tools/call", genaitest.Attributes(spans[0])["mcp.method.name"])
	server := s.server.One(t)
	assert.Equal(t, spans[0].SpanContext.SpanID(), server.Parent.SpanID())

	assert.Len(t, run("execute_tool", "plan_trip"), 2, "another tool")
	assert.Len(t, run("invoke_agent", "get_weather"), 2, "no tool")
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, tool, city       string
		clientType, serverType string
		code                   any
	}{
		{"the tool says it failed", "get_weather", "Atlantis", "tool_error", "tool_error", nil},
		{"the server fails", "get_weather", "Nowhere", "-32050", "-32050", "-32050"},
		{"the client is wrong", "no_such_tool", "Bern", "-32602", "", "-32602"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, true)
			_, _ = s.session.CallTool(t.Context(), &mcp.CallToolParams{Name: c.tool, Arguments: weatherInput{c.city}})
			for errorType, span := range map[*string]tracetest.SpanStub{&c.clientType: s.client.One(t), &c.serverType: s.server.Wait(t, 1)[0]} {
				attrs := genaitest.Attributes(span)
				assert.Equal(t, c.code, attrs["rpc.response.status_code"])
				if *errorType == "" {
					assert.NotContains(t, attrs, "error.type")
					assert.Equal(t, codes.Unset, span.Status.Code)
					continue
				}
				assert.Equal(t, *errorType, attrs["error.type"])
				assert.Equal(t, codes.Error, span.Status.Code)
				require.NotNil(t, genaitest.Read(t, span).Event.Error)
				assert.NotContains(t, attrs, "gen_ai.tool.call.result")
			}
		})
	}
}

func TestCanceled(t *testing.T) {
	s := newSetup(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.hang
		cancel()
	}()
	_, err := s.call(ctx, "Far")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "canceled", genaitest.Attributes(s.client.One(t))["error.type"])
	assert.Equal(t, "canceled", genaitest.Attributes(s.server.Wait(t, 1)[0])["error.type"])
}

// A panic ends the span and goes on.
func TestPanic(t *testing.T) {
	s := newSetup(t, true)
	handler := otelmcp.ClientMiddleware(otelmcp.WithTracerProvider(s.client))(func(context.Context, string, mcp.Request) (mcp.Result, error) { panic("boom") })
	req := &mcp.ClientRequest[mcp.Params]{Session: s.session, Params: &mcp.CallToolParams{Name: "x"}}
	assert.PanicsWithValue(t, "boom", func() { _, _ = handler(t.Context(), "tools/call", req) })
	assert.Equal(t, "panic", genaitest.Attributes(s.client.One(t))["error.type"])
}

// What is no call of a tool is told, and counts as none.
func TestOtherMethods(t *testing.T) {
	s := newSetup(t, true)
	_, err := s.session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	_, err = s.session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "greet"})
	require.NoError(t, err)
	spans := s.client.Spans()
	require.Len(t, spans, 2)
	assert.Equal(t, "tools/list", spans[0].Name)
	assert.Equal(t, "prompts/get greet", spans[1].Name)
	assert.Equal(t, "greet", genaitest.Attributes(spans[1])["gen_ai.prompt.name"])
	for _, span := range spans {
		assert.Empty(t, genaitest.Read(t, span).Event.Type)
	}
}

// The caller gets the same results and errors with and without the middlewares.
func TestCallerSeesTheSame(t *testing.T) {
	plain, instrumented := newSetup(t, false), newSetup(t, true, otelmcp.WithCapture(otelmcp.CaptureFull))
	for _, city := range []string{"Zürich", "Atlantis", "Nowhere", ""} {
		want, wantErr := plain.call(t.Context(), city)
		got, err := instrumented.call(t.Context(), city)
		assert.Equal(t, want, got)
		assert.Equal(t, wantErr, err)
	}
	assert.Empty(t, plain.client.Spans())
}

func TestDependencies(t *testing.T) {
	assert.Subset(t, []string{
		"github.com/agentlens/agentlens-otel",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/trace", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/sdk",
		"go.opentelemetry.io/auto/sdk", "github.com/cespare/xxhash/v2", "github.com/go-logr/logr", "github.com/go-logr/stdr",
		// The SDK, and what it needs.
		"github.com/modelcontextprotocol/go-sdk", "github.com/google/jsonschema-go", "github.com/segmentio/encoding",
		"github.com/segmentio/asm", "github.com/yosida95/uritemplate/v3", "golang.org/x/oauth2", "golang.org/x/sync",
		"golang.org/x/time", "golang.org/x/sys",
	}, genaitest.Deps(t, "."))
}

func BenchmarkCallTool(b *testing.B) {
	for name, instrumented := range map[string]bool{"without": false, "with": true} {
		b.Run(name, func(b *testing.B) {
			s := newSetup(b, false)
			if instrumented {
				s = newSetup(b, true)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.call(b.Context(), "Bern"); err != nil {
					b.Fatal(err)
				}
				s.client.Spans()
				s.server.Spans()
			}
		})
	}
}
