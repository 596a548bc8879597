package genaihttp_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelanthropic"
	"github.com/agentlens/agentlens-otel/instrumentation/otelgenai"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

type middleware = func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error)

// stream is a streamed answer; each event is one Read.
type stream struct {
	name, path string
	events     []string
	middleware func(...genaihttp.Option) middleware
}

const (
	chunks = 500
	// prose has 40 bytes, so that the answers have 20 kB: with escapes, with
	// letters beyond ASCII, and digits that a redactor looks at.
	prose     = `Zürich has 3 \"nice\" lakes:\nit is warm!`
	chatChunk = `data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741570283,` +
		`"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":` +
		`%s,"logprobs":null,"finish_reason":%s}],"usage":null,"obfuscation":"x1Gh3aQ"}` + "\n\n"
)

func streams() []stream {
	repeat := func(first, each, last string) []string {
		return slices.Concat([]string{first}, slices.Repeat([]string{each}, chunks), []string{last})
	}
	chat := func(delta string) []string {
		return repeat(fmt.Sprintf(chatChunk, `{"role":"assistant","content":"","refusal":null}`, "null"), fmt.Sprintf(chatChunk, delta, "null"),
			fmt.Sprintf(chatChunk, `{}`, `"stop"`)+"data: [DONE]\n\n")
	}
	roundTrip := func(opts ...genaihttp.Option) middleware {
		return func(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
			return otelgenai.Transport(roundTripper(next), opts...).RoundTrip(req)
		}
	}
	return []stream{
		{"chat", "/v1/chat/completions", chat(`{"content":"` + prose + `"}`), otelopenai.Middleware},
		{
			"chat tool", "/v1/chat/completions", chat(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": \"Zürich\", "}}]}`),
			otelopenai.Middleware,
		},
		{"responses", "/v1/responses", repeat(
			"event: response.created\n"+`data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","model":"gpt-5","output":[]}}`+"\n\n",
			"event: response.output_text.delta\n"+`data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_67ccd2bf17f0819081ff3bb2cf6508e6",`+
				`"output_index":0,"content_index":0,"delta":"`+prose+`","logprobs":[],"obfuscation":"x1Gh3aQ"}`+"\n\n",
			"event: response.completed\n"+`data: {"type":"response.completed","sequence_number":505,"response":{"id":"resp_1","status":"completed","error":null,`+
				`"model":"gpt-5","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],`+
				`"logprobs":[],"text":"`+strings.Repeat(prose, chunks)+`"}]}],"usage":{"input_tokens":5,"output_tokens":16,"total_tokens":21}}}`+"\n\n",
		), otelopenai.Middleware},
		{"messages", "/v1/messages", repeat(
			"event: message_start\n"+`data: {"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","id":"msg_1","type":"message","role":"assistant",`+
				`"content":[],"stop_reason":null,"usage":{"input_tokens":472,"output_tokens":2}}}`+"\n\n"+
				"event: content_block_start\n"+`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`+"\n\n",
			"event: content_block_delta\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"`+prose+`"}}`+"\n\n",
			"event: message_delta\n"+`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":89}}`+"\n\n"+
				"event: message_stop\n"+`data: {"type":"message_stop"}`+"\n\n",
		), otelanthropic.Middleware},
		{"generate", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", repeat(
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]},"index":0}],"modelVersion":"gemini-2.5-flash","responseId":"r1"}`+"\r\n\r\n",
			`data: {"candidates": [{"content": {"parts": [{"text": "`+prose+`"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 7,`+
				`"candidatesTokenCount": 12,"totalTokenCount": 19,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 7}]},`+
				`"modelVersion": "gemini-2.5-flash","responseId": "DnqPaIDZGqOtz7IPm5mBmQM"}`+"\r\n\r\n",
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"."}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7}}`+"\r\n\r\n",
		), roundTrip},
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// script is a body that hands over one event a Read.
type script struct{ events []string }

func (s *script) Read(p []byte) (int, error) {
	if len(s.events) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.events[0])
	if s.events[0] = s.events[0][n:]; s.events[0] == "" {
		s.events = s.events[1:]
	}
	return n, nil
}

func (s *script) Close() error { return nil }

// player reads one stream again and again.
type player struct {
	*stream
	buf    []byte
	events []string
}

func newPlayer(s *stream) *player {
	return &player{s, make([]byte, 64<<10), make([]string, len(s.events))}
}

// play reads the stream through m, or as it is when m is nil. It returns what
// the whole took, and what the Read took that brought the end.
func (p *player) play(tb testing.TB, m middleware) (all, end time.Duration) {
	copy(p.events, p.stream.events)
	req, err := http.NewRequest(http.MethodPost, "http://llm.test"+p.path, strings.NewReader(`{"model":"m","stream":true}`))
	if err != nil {
		tb.Fatal(err)
	}
	next := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: &script{p.events}}, nil
	}
	start := time.Now()
	var resp *http.Response
	if m != nil {
		resp, err = m(req, next)
	} else {
		resp, err = next(req)
	}
	if err != nil {
		tb.Fatal(err)
	}
	for range p.events {
		if _, err = resp.Body.Read(p.buf); err != nil {
			tb.Fatal(err)
		}
	}
	last := time.Now()
	if _, err = resp.Body.Read(p.buf); err != io.EOF {
		tb.Fatal(err)
	}
	all, end = time.Since(start), time.Since(last)
	_ = resp.Body.Close()
	return all, end
}

// full is the index of the variant that captures the content as it is.
const full = 2

// variants are the middlewares that a stream is read through.
var variants = []struct {
	name string
	opts []genaihttp.Option
}{
	{"none", []genaihttp.Option{genaihttp.WithCapture(agentlens.CaptureNone)}},
	{"metadata", []genaihttp.Option{genaihttp.WithCapture(agentlens.CaptureMetadata)}},
	{"full", []genaihttp.Option{genaihttp.WithCapture(agentlens.CaptureFull)}},
	{"full and redacted", []genaihttp.Option{genaihttp.WithCapture(agentlens.CaptureFull), genaihttp.WithRedactor(agentlens.RedactSecrets)}},
}

// BenchmarkStream reports what a middleware adds to a stream of 502 events and
// 20 kB of text: to the whole, a Read, and the Read that brings the end. The
// stream is read with and without in turns, and medians count, so that it holds
// on a machine that does other things too.
func BenchmarkStream(b *testing.B) {
	for _, s := range streams() {
		for _, v := range variants {
			b.Run(s.name+"/"+v.name, func(b *testing.B) {
				p := newPlayer(&s)
				m := s.middleware(append(v.opts, genaihttp.WithTracerProvider(genaitest.NewDiscarder()))...)
				var added, ends []float64
				b.ReportAllocs()
				for b.Loop() {
					with, end := p.play(b, m)
					without, endWithout := p.play(b, nil)
					added, ends = append(added, float64(with-without)), append(ends, float64(end-endWithout))
				}
				slices.Sort(added)
				slices.Sort(ends)
				b.ReportMetric(0, "ns/op") // of both together, which says nothing
				b.ReportMetric(added[len(added)/2]/chunks, "ns-added/chunk")
				b.ReportMetric(added[len(added)/2]/1000, "µs-added/stream")
				b.ReportMetric(ends[len(ends)/2]/1000, "µs-added/end")
			})
		}
	}
}
