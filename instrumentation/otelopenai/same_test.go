package otelopenai_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/trace/noop"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
	"github.com/agentlens/agentlens-otel/instrumentation/otelopenai"
)

// drawStream is a stream of recorded events and of anything else.
func drawStream(t *rapid.T) string {
	events := strings.SplitAfter(chatStream+chatStreamNoUsage+responsesStream+responsesFailed, "\n\n")
	piece := rapid.OneOf(
		rapid.SampledFrom(events),
		rapid.SampledFrom([]string{"data:", "data: ", "\n", "\r\n", ":\n", "event: x\n", "data: [DONE]\n\n", "data: {}\n\n", `data: {"choices":[{"index":-1}]}` + "\n\n", "\ufeff", `data: {"choices":{}}` + "\n\n", "}", `"`, `\`}),
		rapid.StringN(0, 30, 60),
	)
	s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
	if n := len(s); n > 0 && rapid.Bool().Draw(t, "cut") {
		s = s[:rapid.IntRange(0, n).Draw(t, "at")]
	}
	return s
}

var errBroken = errors.New("broken")

// pieces is a body that hands over at most one size a Read, and then fails.
type pieces struct {
	data  []byte
	sizes []int
	end   error
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, p.end
	}
	n := min(len(b), len(p.data))
	if len(p.sizes) > 0 {
		n, p.sizes = min(n, p.sizes[0]), p.sizes[1:]
	}
	copy(b, p.data[:n])
	p.data = p.data[n:]
	if len(p.data) == 0 && len(p.sizes)%2 == 0 {
		return n, p.end // Readers may say the end with the last bytes.
	}
	return n, nil
}

func (p *pieces) Close() error { return errBroken }

type read struct {
	data string
	err  error
}

func readAll(body io.ReadCloser, size, stop int) (reads []read, closed error) {
	buf := make([]byte, size)
	for len(reads) < stop {
		n, err := body.Read(buf)
		reads = append(reads, read{string(buf[:n]), err})
		if err != nil {
			break
		}
	}
	return reads, body.Close()
}

// With and without the middleware, every Read gives the same bytes and the same
// error, and Close the same; and the span ends exactly once.
func TestCallerReadsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := []byte(drawStream(t))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 200), 0, 40).Draw(t, "sizes")
		end := rapid.SampledFrom([]error{io.EOF, io.ErrUnexpectedEOF, errBroken}).Draw(t, "end")
		size := rapid.IntRange(1, 600).Draw(t, "buffer")
		stop := rapid.SampledFrom([]int{0, 1, 3, 1 << 20}).Draw(t, "stop")
		kind := rapid.SampledFrom([]string{"text/event-stream", "application/json", "text/html", ""}).Draw(t, "type")
		status := rapid.SampledFrom([]int{200, 201, 400, 500}).Draw(t, "status")
		path := rapid.SampledFrom([]string{"/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions"}).Draw(t, "path")
		request := rapid.OneOf(rapid.Just(`{"model":"m","stream":true}`), rapid.String()).Draw(t, "request")
		capture := rapid.SampledFrom([]otelopenai.CaptureMode{otelopenai.CaptureNone, otelopenai.CaptureMetadata, otelopenai.CaptureFull}).Draw(t, "capture")

		call := func(middleware func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error)) (string, []read, error) {
			req, err := http.NewRequest(http.MethodPost, "http://localhost:1"+path, strings.NewReader(request))
			if err != nil {
				t.Fatal(err)
			}
			var sent []byte
			resp, err := middleware(req, func(r *http.Request) (*http.Response, error) {
				sent, _ = io.ReadAll(r.Body)
				return &http.Response{
					StatusCode: status, Header: http.Header{"Content-Type": {kind}},
					Body: &pieces{bytes.Clone(stream), append([]int(nil), sizes...), end},
				}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			reads, closed := readAll(resp.Body, size, stop)
			return string(sent), reads, closed
		}
		spans := genaitest.NewRecorder()
		sent, reads, closed := call(otelopenai.Middleware(otelopenai.WithTracerProvider(spans), otelopenai.WithCapture(capture)))
		plainSent, plainReads, plainClosed := call(func(r *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
			return next(r)
		})
		assert.Equal(t, plainSent, sent)
		assert.Equal(t, plainReads, reads)
		assert.Equal(t, plainClosed, closed)
		assert.Len(t, spans.Spans(), 1)
	})
}

// The SDK's streams give the same chunks and the same error.
func TestSDKSeesTheSame(t *testing.T) {
	server := genaitest.NewServer(t, genaitest.SSE(""))
	rapid.Check(t, func(rt *rapid.T) {
		server.Play(genaitest.SSE(drawStream(rt)))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 200), 0, 40).Draw(rt, "sizes")
		stream := func(opts ...option.RequestOption) ([]string, string) {
			s := setup{client: openai.NewClient(append(opts, option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithMaxRetries(0),
				option.WithHTTPClient(&http.Client{Transport: genaitest.Cut{Base: server.Client().Transport, Sizes: sizes}}))...)}
			chunks, err := s.streamChat(t.Context(), chatParams())
			if err != nil {
				return chunks, err.Error()
			}
			return chunks, ""
		}
		chunks, failure := stream(option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(genaitest.NewRecorder()))))
		plainChunks, plainFailure := stream()
		assert.Equal(rt, plainChunks, chunks)
		assert.Equal(rt, plainFailure, failure)
	})
}

// Importing the package compiles nothing of a provider's SDK, nor of the
// OpenTelemetry SDK beyond the name of a scope.
func TestDependencies(t *testing.T) {
	assert.Subset(t, []string{
		"github.com/agentlens/agentlens-otel",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/trace", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/sdk",
		"go.opentelemetry.io/auto/sdk", "github.com/cespare/xxhash/v2", "github.com/go-logr/logr", "github.com/go-logr/stdr",
	}, genaitest.Deps(t, "."))
}

func benchmark(b *testing.B, body genaitest.Answer, streaming bool, opts ...option.RequestOption) {
	server := genaitest.NewServer(b, body)
	s := setup{client: openai.NewClient(append(opts, option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithHTTPClient(server.Client()))...)}
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if streaming {
			_, err = s.streamChat(b.Context(), chatParams())
		} else {
			_, err = s.client.Chat.Completions.New(b.Context(), chatParams())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// The same calls over loopback with the SDK's client, without and with the
// middleware. The difference is what the middleware adds.
func BenchmarkCall(b *testing.B) {
	tokens := strings.Repeat(strings.SplitAfter(chatStreamNoUsage, "\n\n")[1], 500)
	for _, c := range []struct {
		name      string
		answer    genaitest.Answer
		streaming bool
	}{
		{"chat", genaitest.JSON(chatAnswer), false},
		{"stream of 501 chunks", genaitest.SSE(tokens + chatStreamNoUsage), true},
	} {
		b.Run(c.name+"/without", func(b *testing.B) { benchmark(b, c.answer, c.streaming) })
		b.Run(c.name+"/no provider", func(b *testing.B) {
			benchmark(b, c.answer, c.streaming, option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(noop.NewTracerProvider()))))
		})
		for name, capture := range map[string]otelopenai.CaptureMode{"with": otelopenai.CaptureNone, "full": otelopenai.CaptureFull} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				spans := genaitest.NewDiscarder()
				benchmark(b, c.answer, c.streaming, option.WithMiddleware(otelopenai.Middleware(otelopenai.WithTracerProvider(spans), otelopenai.WithCapture(capture))))
			})
		}
	}
}
