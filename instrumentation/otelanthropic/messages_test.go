package otelanthropic

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaitest"
)

var deltas = []string{
	`{"type":"text_delta","text":"Zürich \"has\"\n3"}`,
	`{"type":"input_json_delta","partial_json":"{\"a\": 1"}`,
	`{"type":"thinking_delta","thinking":"hm"}`,
	`{"type":"signature_delta","signature":"EqQB"}`,
	`{"type":"citations_delta","citation":{"cited_text":"x","document_index":0,"title":null}}`,
}

// What is read without encoding/json is what is read with it.
func TestScanSaysWhatDecodeSays(t *testing.T) {
	var c genaihttp.Cursor // used again, as for each event of a stream
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(genaitest.Mutate(t, rapid.SampledFrom(deltas).Draw(t, "delta")))
		if d, ok := scanDelta(&c, raw); ok {
			require.Equal(t, fmt.Sprintf("%q", decodeDelta(raw)), fmt.Sprintf("%q", d), "%q", raw)
		}
	})
}

func TestScanReadsWhatTheServerSends(t *testing.T) {
	var c genaihttp.Cursor
	for _, raw := range deltas {
		_, ok := scanDelta(&c, []byte(raw))
		assert.True(t, ok, raw)
	}
	for _, raw := range []string{``, `null`, `{"text":1}`, `{"text":"a","text":"b"}`, `{"Text":"a"}`} {
		_, ok := scanDelta(&c, []byte(raw))
		assert.False(t, ok, raw)
	}
}
