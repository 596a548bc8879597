package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// Whatever comes in, POST /events answers with JSON of the wire's shape, its
// counts add up, and every page of what was stored can be read.
func FuzzPostEvents(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"events":[{"event_type":"generic","session_id":"s","metadata":{"a":1e999},"timestamp":"0000-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"events":[{"event_type":"session_start","session_id":"s","metadata":{"":null,"\ud800":"\u0000"},"timestamp":"9999-12-31T23:59:59Z"}]}`))
	f.Add([]byte(`{"events":[{"event_type":"session_end","session_id":"s","status":5,"total_tokens_in":9223372036854775808}]}`))
	f.Add([]byte("{\"events\":[{\"event_type\":\"generic\",\"session_id\":\"s\",\"tool_call\":{\"tool_name\":\"\xff\"},\"duration_ms\":1e308}]}"))
	for _, body := range []string{
		`null`, `[]`, ``, `{`, `{"events":null}`, `{"events":5}`, `{"events":[]} x`, `{"events":[]}{}`, `{"events":[`, `{"events":[{"a":1}`, `{"events":[{]}`,
		`{"a":{"b":[1]},"EVENTS":[null,1,"x",{"event_type":1}]}`, `{"events":[{}],"events":null}`, `{"events":null,"Events":[ {} , {} ]}`, `{"a" "b"}`, `{"events":[],}`,
		`{"events":[1,]}`, `{"events":[` + strings.Repeat("1,", wire.MaxBatchEvents) + `1]}`, `{"events":[` + strings.Repeat("1,", wire.MaxBatchEvents+1) + `]}`,
	} {
		f.Add([]byte(body))
	}
	for _, copies := range []string{
		`5`, `null`, `{}`, `[]`, `[5]`, `[{"event_type":"generic","session_id":"s","event_id":"b","agentlens_part_of":["a"]}]`,
		`[{"event_type":"generic","session_id":"s","agentlens_part_of":["a",""]},{"event_type":"generic","session_id":"s"},{"agentlens_part_of":5}]`,
	} {
		f.Add([]byte(`{"copies":` + copies + `,"events":[{"event_type":"generic","session_id":"s","event_id":"a","agentlens_replaces":["b","c","a","%",5]}]}`))
	}
	// One store for all inputs: opening one takes longer than all the rest.
	s, err := New(context.Background(), Config{Directory: f.TempDir()}, zap.NewNop())
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	f.Fuzz(func(t *testing.T, body []byte) {
		do := func(method, path string, body []byte) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			req := httptest.NewRequest(method, path, bytes.NewReader(body))
			req.Host = "localhost"
			s.Handler().ServeHTTP(rec, req)
			return rec
		}

		rec := do("POST", "/events", body)
		require.True(t, json.Valid(rec.Body.Bytes()), rec.Body.String())
		// The body is read piece by piece; encoding/json, which reads it whole,
		// must be of one mind with that.
		var in struct {
			Events *[]json.RawMessage `json:"events"`
		}
		err := json.Unmarshal(body, &in)
		require.Equal(t, err == nil && in.Events != nil && len(*in.Events) <= wire.MaxBatchEvents, rec.Code == http.StatusOK, rec.Body.String())
		if rec.Code != http.StatusOK {
			var refusal wire.Error
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &refusal))
			require.NotEmpty(t, refusal.Error)
			require.Less(t, rec.Code, 500)
			return
		}
		var answer wire.Answer
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer))
		require.Equal(t, len(*in.Events), answer.Processed+answer.Skipped)

		rec = do("GET", "/sessions", nil)
		require.True(t, rec.Code == 200 && json.Valid(rec.Body.Bytes()), rec.Body.String())
		stored, err := decodeBatch(body)
		require.NoError(t, err)
		for _, e := range stored.events {
			for _, path := range []string{"/sessions/" + e.SessionID, "/sessions/" + e.SessionID + "/explain", "/ui/sessions/" + e.SessionID} {
				rec = do("GET", path, nil)
				require.Equal(t, 200, rec.Code, rec.Body.String())
				require.True(t, path[1] == 'u' || json.Valid(rec.Body.Bytes()), rec.Body.String())
			}
		}
	})
}

// BenchmarkPostEvents posts full batches of LLM calls with reasoning, 20 events
// a session, over HTTP on loopback.
func BenchmarkPostEvents(b *testing.B) {
	s, err := New(context.Background(), Config{Directory: b.TempDir()}, zap.NewNop())
	require.NoError(b, err)
	defer s.Close()
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()

	var sent, bytesSent int
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		body := benchBatch(sent)
		b.StartTimer()
		res, err := http.Post(srv.URL+"/events", "application/json", bytes.NewReader(body))
		require.NoError(b, err)
		require.Equal(b, 200, res.StatusCode)
		require.NoError(b, res.Body.Close())
		sent += wire.MaxBatchEvents
		bytesSent += len(body)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(bytesSent)/float64(sent), "bytes/event")
}

// benchBatch returns a batch of 500 events whose ids follow on n.
func benchBatch(n int) []byte {
	at := time.Date(2026, 2, 14, 10, 0, 0, 0, time.UTC)
	var batch wire.Batch
	for i := n; i < n+wire.MaxBatchEvents; i++ {
		now := wire.At(at.Add(time.Duration(i) * time.Millisecond))
		batch.Events = append(batch.Events, wire.Event{
			EventType: "llm_call", SessionID: fmt.Sprintf("%016x", i/20), EventID: fmt.Sprintf("%016x", i), Timestamp: now,
			Model: "gpt-4-turbo", Provider: "openai", TokensIn: analysis.Some[int64](1200), TokensOut: analysis.Some[int64](350),
			DurationMS: analysis.Some(2340.5), CostUSD: analysis.Some(0.0225),
			InputData: json.RawMessage(`{"prompt":"Summarize this article","article_url":"https://example.com/article"}`), OutputData: json.RawMessage(`{"response":"The article discusses …"}`),
			DecisionTrace: &wire.DecisionTrace{ID: fmt.Sprintf("%016x", i), Step: i % 20, Reasoning: "User asked for a summary. Using GPT-4 Turbo for long context.", Timestamp: now},
		})
	}
	body, err := json.Marshal(batch)
	if err != nil {
		panic(err)
	}
	return body
}
