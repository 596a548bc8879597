package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// sender sends an encoded request and returns how many of its spans were
// rejected.
type sender interface {
	send(ctx context.Context, request []byte) (rejected int64, err error)
	close() error
}

func newSender(p Protocol, endpoint string) (sender, error) {
	switch p {
	case GRPC:
		conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return &grpcSender{conn}, nil
	case HTTP:
		return &httpSender{url: "http://" + endpoint + "/v1/traces", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}, nil
	}
	return nil, fmt.Errorf("protocol is %q, want grpc or http", p)
}

type grpcSender struct{ conn *grpc.ClientConn }

func (s *grpcSender) send(ctx context.Context, request []byte) (int64, error) {
	var answer []byte
	err := s.conn.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", request, &answer, grpc.ForceCodecV2(encoded{}))
	if err != nil {
		return 0, err
	}
	return rejected(answer)
}

func (s *grpcSender) close() error { return s.conn.Close() }

// encoded is the codec of messages that are encoded already.
type encoded struct{}

func (encoded) Name() string { return "proto" }

func (encoded) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (encoded) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

type httpSender struct {
	url    string
	client *http.Client
}

func (s *httpSender) send(ctx context.Context, request []byte) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(request))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answered %s: %s", s.url, res.Status, answer)
	}
	return rejected(answer)
}

func (s *httpSender) close() error {
	s.client.CloseIdleConnections()
	return nil
}

func rejected(answer []byte) (int64, error) {
	if len(answer) == 0 {
		return 0, nil
	}
	response := ptraceotlp.NewExportResponse()
	if err := response.UnmarshalProto(answer); err != nil {
		return 0, fmt.Errorf("decode the answer: %w", err)
	}
	return response.PartialSuccess().RejectedSpans(), nil
}
