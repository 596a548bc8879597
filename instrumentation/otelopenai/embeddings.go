package otelopenai

import (
	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// embeddingsReader reads embeddings. The vectors are passed over.
type embeddingsReader struct{}

func newEmbeddingsReader(capture.Mode) genaihttp.Reader { return embeddingsReader{} }

func (embeddingsReader) RequestMembers() genaihttp.Select {
	return genaihttp.Select{Keep: []string{"model", "dimensions", "encoding_format"}}
}

func (embeddingsReader) Request(call *genaihttp.Call, m *genaihttp.Members) {
	call.Model = m.String("model")
	call.CopyInt(semconv.GenAIEmbeddingsDims, m, "dimensions")
	call.CopyTexts(semconv.GenAIRequestEncodings, m, "encoding_format")
}

func (embeddingsReader) AnswerMembers(bool) genaihttp.Select {
	return genaihttp.Select{Keep: []string{"model", "usage"}}
}

func (embeddingsReader) Answer(call *genaihttp.Call, m *genaihttp.Members) {
	call.ResponseModel = m.String("model")
	var u usage
	if m.Decode("usage", &u) {
		call.Usage = u.counts()
	}
}

func (embeddingsReader) Event(*genaihttp.Call, string, *genaihttp.Members) {}
