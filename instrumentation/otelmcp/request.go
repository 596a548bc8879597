package otelmcp

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentlens/agentlens-otel/instrumentation/internal/capture"
	"github.com/agentlens/agentlens-otel/instrumentation/internal/genaihttp"
	"github.com/agentlens/agentlens-otel/semconv"
)

// request is a request on its way.
type request struct {
	config  *config
	ctx     context.Context
	span    trace.Span
	shared  bool // the span is the caller's own
	settled bool
	start   time.Time
	attrs   []attribute.KeyValue // what it asks for
	policy  capture.Policy
	dropped []string // attributes whose content a redactor failed on
	// code is that of a JSON-RPC error; errorType is empty unless it failed.
	code, errorType string
}

// toolError is the error.type of a tool whose result says that it failed.
const toolError = "tool_error"

func (s *request) arguments(req mcp.Request) {
	if !s.captures() {
		return
	}
	switch p := req.GetParams().(type) {
	case *mcp.CallToolParams:
		if p != nil {
			s.set(semconv.GenAIToolCallArguments, p.Arguments)
		}
	case *mcp.CallToolParamsRaw:
		if p != nil {
			s.set(semconv.GenAIToolCallArguments, p.Arguments)
		}
	}
}

func (s *request) captures() bool { return s.policy.Mode != CaptureNone && s.span.IsRecording() }

// set writes v as the policy lets it. What has no JSON is left out.
func (s *request) set(key string, v any) {
	raw, err := capture.EncodeJSON(v)
	if err != nil {
		return
	}
	kv, dropped := genaihttp.Data(&s.policy, key, raw)
	if dropped {
		s.drop(key)
	} else if kv.Valid() {
		s.span.SetAttributes(kv)
	}
}

func (s *request) drop(key string) {
	s.dropped = append(s.dropped, key)
	s.span.SetAttributes(genaihttp.Dropped(s.dropped)...)
}

// settle writes the outcome. counts says which JSON-RPC codes are errors.
func (s *request) settle(result mcp.Result, err error, counts func(code int64) bool) {
	s.settled = true
	if err != nil {
		s.failed(err, counts)
		return
	}
	tool, ok := result.(*mcp.CallToolResult)
	if !ok || tool == nil {
		return
	}
	if tool.IsError {
		if s.ctx.Err() != nil { // The tool says what its context said.
			s.fail(genaihttp.ErrorType(s.ctx.Err()), "")
			return
		}
		s.fail(toolError, "")
		return
	}
	if s.captures() {
		if tool.StructuredContent != nil {
			s.set(semconv.GenAIToolCallResult, tool.StructuredContent)
		} else {
			s.set(semconv.GenAIToolCallResult, tool.Content)
		}
	}
}

func (s *request) failed(err error, counts func(code int64) bool) {
	var rpc *jsonrpc.Error
	switch {
	case s.ctx.Err() != nil:
		s.fail(genaihttp.ErrorType(s.ctx.Err()), err.Error())
	case errors.As(err, &rpc):
		s.code = strconv.FormatInt(rpc.Code, 10)
		s.span.SetAttributes(attribute.String(semconv.RPCResponseStatus, s.code))
		if counts(rpc.Code) {
			s.fail(s.code, rpc.Message)
		}
	default:
		s.fail(genaihttp.ErrorType(err), err.Error())
	}
}

// fail leaves the status of a span that is not ours to its owner.
func (s *request) fail(errorType, message string) {
	s.errorType = errorType
	s.span.SetAttributes(attribute.String(semconv.ErrorType, errorType))
	if s.shared {
		return
	}
	message, dropped := genaihttp.ErrorText(&s.policy, message)
	if dropped {
		s.drop(semconv.ExceptionMessage)
	}
	s.span.SetStatus(codes.Error, message)
}

// end ends the span; not settled means that the handler panicked.
func (s *request) end() {
	if !s.settled {
		s.fail("panic", "")
	}
	if !s.shared {
		s.span.End()
	}
	s.record()
}

func isClientError(int64) bool { return true }

// isServerError leaves out what the client did wrong.
func isServerError(code int64) bool {
	switch code {
	case jsonrpc.CodeParseError, jsonrpc.CodeInvalidRequest, jsonrpc.CodeMethodNotFound, jsonrpc.CodeInvalidParams, codeResourceNotFound:
		return false
	default:
		return true
	}
}

const codeResourceNotFound = -32002
