package spanevent

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/analysis"
)

// checkWithout holds what is read without some of the content against what is
// read with all of it: the wanted content and all else is the same.
func checkWithout(t testing.TB, scope Scope, span ptrace.Span) {
	t.Helper()
	for without := range ContentAll + 1 {
		want, got := scope.Read(span), scope.Without(without).Read(span)
		require.Equal(t, forget(want, without), forget(got, without), "without %06b", without)
	}
}

// forget returns the reading with the given content taken out.
func forget(r Reading, without Content) Reading {
	clear := func(c Content, data *[]byte) {
		if without&c != 0 {
			*data = nil
		}
	}
	if without&ContentMetadata != 0 {
		r.Session.Metadata = nil
	}
	if without&ContentEventID != 0 {
		r.Event.ID = ""
	}
	clear(ContentInput, (*[]byte)(&r.Event.Input))
	clear(ContentOutput, (*[]byte)(&r.Event.Output))
	if r.Event.ToolCall != nil {
		tool := *r.Event.ToolCall
		clear(ContentToolInput, (*[]byte)(&tool.Input))
		clear(ContentToolOutput, (*[]byte)(&tool.Output))
		r.Event.ToolCall = &tool
	}
	return r
}

// What is left out is not read, whoever wrote it.
func TestReadWithoutContent(t *testing.T) {
	for name, c := range map[string]spanCase{
		"SDK": {scope: agentLens.scopes[0], attrs: attrs{
			"agentlens.event.type": "llm_call", "gen_ai.input.messages": `[{"role":"user"}]`, "gen_ai.output.messages": `[{"role":"assistant"}]`,
			"agentlens.tool.name": "search", "agentlens.tool.call.arguments": `{"q":1}`, "agentlens.tool.call.result": `{"r":2}`,
		}},
		"another's tool": {attrs: attrs{"openinference.span.kind": "TOOL", "tool.name": "search", "input.value": "q", "output.value": "r"}},
	} {
		t.Run(name, func(t *testing.T) {
			scope := ForScope(c.spanScope())
			checkWithout(t, scope, c.span(t))
			full, none := scope.Read(c.span(t)).Event, scope.Without(ContentAll).Read(c.span(t)).Event
			require.NotEmpty(t, full.ToolCall.Input)
			require.NotEmpty(t, full.ToolCall.Output)
			require.Equal(t, analysis.ToolCall{Name: "search", Timestamp: full.Timestamp, DurationMS: full.DurationMS}, *none.ToolCall)
			require.Empty(t, none.Input)
			require.Empty(t, none.Output)
			require.Equal(t, "0200000000000000", full.ID)
			require.Empty(t, none.ID)
		})
	}
}

// Metadata is left out where it is not wanted, and only there.
func TestReadWithoutMetadata(t *testing.T) {
	c := spanCase{scope: agentLens.scopes[0], attrs: attrs{"agentlens.event.type": "session", "agentlens.session.metadata.user": `{"id":1}`}}
	scope := ForScope(c.spanScope())
	checkWithout(t, scope, c.span(t))
	require.Equal(t, map[string]any{"user": map[string]any{"id": 1.0}}, scope.Without(ContentAll&^ContentMetadata).Read(c.span(t)).Session.Metadata)
	require.Empty(t, scope.Without(ContentMetadata).Read(c.span(t)).Session.Metadata)
}

// What a span tells does not depend on what was in the memory before.
func TestReadIntoUsedMemory(t *testing.T) {
	tool := (&spanCase{scope: "openinference.x", attrs: attrs{
		"openinference.span.kind": "TOOL", "tool.name": "search", "input.value": "q", "error.type": "timeout", "agent.name": "a", "session.id": "s",
	}}).span(t)
	call, other := inferenceSpan(t), otherSpan(t)
	var scope Scope
	r := scope.Read(tool)
	require.True(t, scope.ReadInto(&r, call))
	require.Equal(t, scope.Read(call), withoutMemory(r))
	require.False(t, scope.ReadInto(&r, other), "not GenAI")
	require.Equal(t, scope.Read(call), withoutMemory(r), "stays")
	r.Clear()
	require.Equal(t, Reading{}, withoutMemory(r))
	require.Equal(t, Reading{}, scope.Read(other))

	require.True(t, scope.ReadInto(&r, tool))
	require.NotEmpty(t, r.Event.ToolCall.Input)
	without := scope.Without(ContentToolInput)
	require.True(t, without.ReadInto(&r, tool))
	require.Equal(t, without.Read(tool), withoutMemory(r))
}

// What Read returns is in memory of its own, whatever was read before.
func TestReadIsNotIntoTheMemoryOfAnother(t *testing.T) {
	span := (&spanCase{attrs: attrs{"openinference.span.kind": "TOOL", "tool.name": "search", "output.value": "found"}}).span(t)
	var scope Scope
	var r Reading
	require.True(t, scope.ReadInto(&r, span))
	again := scope.Read(span)
	require.Equal(t, r.Event.ToolCall, again.Event.ToolCall)
	require.NotSame(t, r.Event.ToolCall, again.Event.ToolCall)
	require.NotSame(t, &r.Event.ToolCall.Output[0], &again.Event.ToolCall.Output[0])
}

// Stamps of senders without a clock are anything: the time between them is that
// of package time.
func TestBetweenIsSub(t *testing.T) {
	stamp := rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}), rapid.Uint64())
	rapid.Check(t, func(rt *rapid.T) {
		start, end := pcommon.Timestamp(stamp.Draw(rt, "start")), pcommon.Timestamp(stamp.Draw(rt, "end"))
		require.Equal(rt, max(0, end.AsTime().Sub(start.AsTime())), between(start, end))
	})
}

// Nor does content, whose memory grows as it must, is used again, and is not
// shared by two pieces of content.
func TestReadIntoContent(t *testing.T) {
	long := strings.Repeat("long ", 2*maxMemory)
	type inScope struct {
		scope Scope
		span  ptrace.Span
	}
	var spans []inScope
	for _, texts := range [][2]string{{"a", "b"}, {long, "b"}, {"", "b"}, {"a", long}, {"question", "answer"}, {`{"a":1}`, `[{"b":2}]`}, {"<a>", "a\xffb"}} {
		for _, c := range []spanCase{
			{scope: agentLens.scopes[0], attrs: attrs{"agentlens.event.type": "llm_call", "agentlens.event.input": texts[0], "agentlens.event.output": texts[1]}},
			{attrs: attrs{"gen_ai.operation.name": "chat", "gen_ai.input.messages": texts[0], "gen_ai.output.messages": texts[1]}},
			{attrs: attrs{"openinference.span.kind": "TOOL", "input.value": texts[0], "output.value": texts[1]}},
			{scope: agentLens.scopes[0], attrs: attrs{"agentlens.event.type": "decision", "agentlens.decision.reasoning": texts[0]}},
		} {
			spans = append(spans, inScope{ForScope(c.spanScope()), c.span(t)})
		}
	}
	var r Reading
	var work Workspace
	rapid.Check(t, func(rt *rapid.T) {
		i := rapid.IntRange(0, len(spans)-1).Draw(rt, "span")
		scope, span := spans[i].scope, spans[i].span
		if rapid.Bool().Draw(rt, "in a workspace") {
			scope = scope.In(&work)
		}
		if rapid.Bool().Draw(rt, "cleared") {
			r.Clear()
		}
		scope = scope.Without(rapid.SampledFrom([]Content{0, ContentInput, ContentToolInput, ContentToolOutput, ContentAll}).Draw(rt, "without"))
		require.True(rt, scope.ReadInto(&r, span))
		require.Equal(rt, scope.Read(span), withoutMemory(r))
	})
}

// With the memory of the spans before, what is left to allocate is the event's
// id.
func TestReadIntoAllocations(t *testing.T) {
	for name, c := range map[string]spanCase{
		"call with content": {attrs: attrs{
			"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c", "gen_ai.input.messages": "a question\nof two lines",
			"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"an answer"}]}]`,
		}},
		"tool call": {attrs: attrs{"gen_ai.operation.name": "execute_tool", "gen_ai.conversation.id": "c", "gen_ai.tool.name": "search", "gen_ai.tool.call.result": "found"}},
		"decision":  {scope: agentLens.scopes[0], attrs: attrs{"session.id": "s", "agentlens.event.type": "decision", "agentlens.decision.reasoning": "because"}},
		"session":   {scope: agentLens.scopes[0], attrs: attrs{"session.id": "s", "agentlens.event.type": "session", "agentlens.session.metadata.user": `{"id":1}`}},
	} {
		span, scope := c.span(t), ForScope(c.spanScope()).Without(ContentMetadata)
		var r Reading
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { scope.ReadInto(&r, span) }), 1.0, name)
	}
}

// Nor does what was read of a span hold on to it once it is cleared.
func TestClearLetsGo(t *testing.T) {
	c := spanCase{scope: agentLens.scopes[0], attrs: attrs{
		"agentlens.event.type": "tool_call", "agentlens.tool.name": "search", "agentlens.decision.reasoning": "because",
		"agentlens.event.output": strings.Repeat("long ", maxMemory),
	}}
	var r Reading
	require.True(t, ForScope(c.spanScope()).ReadInto(&r, c.span(t)))
	require.NotEmpty(t, r.Event.Output)
	tool, decision := r.Event.ToolCall, r.Event.DecisionTrace
	r.Clear()
	require.Zero(t, *tool)
	require.Zero(t, *decision)
	require.LessOrEqual(t, cap(r.memory.buf), maxMemory)
}

// A workspace holds on to nothing of the spans that were read in it, nor does it
// tell of one what another told.
func TestWorkspaceForgets(t *testing.T) {
	var work Workspace
	var scope Scope
	spans := []ptrace.Span{inferenceSpan(t), otherSpan(t), (&spanCase{attrs: attrs{"error.type": "timeout"}}).span(t), (&spanCase{scope: agentLens.scopes[0], attrs: attrs{
		"agentlens.event.type": "session", "agentlens.session.metadata.user": "u", "error.type": "timeout",
	}}).span(t)}
	rapid.Check(t, func(rt *rapid.T) {
		for range 3 {
			span := rapid.SampledFrom(spans).Draw(rt, "span")
			var r Reading
			require.Equal(rt, scope.Read(span).Role != RoleNone, scope.In(&work).ReadInto(&r, span))
			require.Equal(rt, scope.Read(span), withoutMemory(r))
		}
		if rapid.Bool().Draw(rt, "cleared") {
			work.Clear()
			require.Zero(rt, work.facts.values)
			require.Nil(rt, work.facts.metadata)
			require.Nil(rt, work.facts.memory)
		}
	})
}

func withoutMemory(r Reading) Reading {
	r.memory = memory{}
	return r
}

// Numbers that arrive as text are those that strconv reads, but for what is not
// finite.
func TestNumberOfText(t *testing.T) {
	texts := rapid.OneOf(rapid.StringMatching(`[ +\-.0-9eExXinfatyINFpP_]{0,6}`), rapid.StringMatching(`[+-]?(Inf|NaN|infinity|0x1p4|1e400|1_0|[0-9]{1,3}(\.[0-9])?)`), rapid.String())
	rapid.Check(t, func(rt *rapid.T) {
		s := texts.Draw(rt, "text")
		want := analysis.Opt[float64]{}
		if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
			want = analysis.Some(n)
		}
		require.Equal(rt, want, number(pcommon.NewValueStr(s)), "%q", s)
	})
	step := pcommon.NewValueStr("choose a tool")
	require.Zero(t, testing.AllocsPerRun(100, func() { number(step) }))
}
