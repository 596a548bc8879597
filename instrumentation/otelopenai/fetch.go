package otelopenai

import (
	"encoding/json"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// fetchRoute tells a request for a response that was made before, as it is when
// one was created in the background: GET /responses/{id}.
func fetchRoute(req *http.Request, mode capture.Mode) (*genaihttp.Call, genaihttp.Reader) {
	rest, id := cutLast(req.URL.Path)
	if _, parent := cutLast(rest); parent != "responses" || id == "" {
		return nil, nil
	}
	call := &genaihttp.Call{
		Operation: semconv.OperationFetchResponse, Provider: provider(req.URL.Hostname()), ResponseID: id, Apart: true,
	}
	call.SetRequest(attribute.String(semconv.OpenAIAPIType, "responses"))
	call.SetRequest(attribute.String(semconv.GenAIResponseID, id))
	if cursor := req.URL.Query().Get("starting_after"); cursor != "" {
		call.SetRequest(attribute.String(semconv.GenAIRequestStreamCursor, cursor))
	}
	return call, &fetchReader{responsesReader{mode: mode}}
}

// cutLast cuts off what comes after the last slash.
func cutLast(path string) (rest, last string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// fetchReader reads a response that was made before. That it failed is told by
// its status and finish reason: the fetch did not. Its tokens are those of the
// call that made it.
type fetchReader struct{ responsesReader }

func (r *fetchReader) RequestMembers() genaihttp.Select { return genaihttp.Select{} }

func (r *fetchReader) Request(*genaihttp.Call, *genaihttp.Members) {}

func (r *fetchReader) AnswerMembers(stream bool) genaihttp.Select {
	s := r.responsesReader.AnswerMembers(stream)
	prefix := ""
	if stream {
		prefix = "response."
	}
	s.Keep = append(s.Keep[:len(s.Keep):len(s.Keep)], prefix+"instructions", prefix+"tools")
	return s
}

func (r *fetchReader) Answer(call *genaihttp.Call, m *genaihttp.Members) { r.fetched(call, m, "") }

func (r *fetchReader) Event(call *genaihttp.Call, event string, m *genaihttp.Members) {
	switch kind(event, m) {
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		call.Complete = true
		r.fetched(call, m, "response.")
	case "error":
		r.responsesReader.Event(call, event, m)
	}
}

func (r *fetchReader) fetched(call *genaihttp.Call, m *genaihttp.Members, prefix string) {
	r.response(call, m, prefix)
	call.Usage, call.ErrorType, call.ErrorMessage = genaihttp.Usage{}, "", ""
	if status := m.String(prefix + "status"); status != "" {
		call.SetResponse(attribute.String(semconv.GenAIResponseStatus, status))
		if status == "cancelled" {
			call.FinishReasons = []string{"error"}
		}
	}
	if r.mode == capture.None {
		return
	}
	if s := m.String(prefix + "instructions"); s != "" {
		call.System = []genaihttp.Part{genaihttp.Text(s)}
	}
	if raw := m.Raw(prefix + "tools"); raw != nil && string(raw) != "[]" {
		call.Tools = append(json.RawMessage(nil), raw...)
	}
}
