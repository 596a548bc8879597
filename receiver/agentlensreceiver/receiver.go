package agentlensreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
)

// tracesServer is what the agentlens_backend extension offers: it gives the
// spans it gets to next until release is called, which waits for running calls.
type tracesServer interface {
	TakeTraces(next consumer.Traces) (release func(), err error)
}

// tracesReceiver hands its consumer to the extension while it runs.
type tracesReceiver struct {
	cfg     *Config
	next    consumer.Traces
	report  *receiverhelper.ObsReport
	release func()
}

var _ receiver.Traces = (*tracesReceiver)(nil)

func newTracesReceiver(cfg *Config, set receiver.Settings, next consumer.Traces) (*tracesReceiver, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &tracesReceiver{cfg: cfg, next: next, report: report}, nil
}

// Start finds the extension. It is an error when there is none of that id, when
// it is of another kind, and when another receiver takes its spans.
func (r *tracesReceiver) Start(_ context.Context, host component.Host) error {
	found, ok := host.GetExtensions()[r.cfg.Extension]
	if !ok {
		return fmt.Errorf("`extension` is %q, and no such extension runs: configure it, and list it under service::extensions", r.cfg.Extension)
	}
	server, ok := found.(tracesServer)
	if !ok {
		return fmt.Errorf("`extension` is %q, want an agentlens_backend extension", r.cfg.Extension)
	}
	next, err := consumer.NewTraces(r.consume)
	if err != nil {
		return err
	}
	release, err := server.TakeTraces(next)
	if err != nil {
		return fmt.Errorf("take the spans of extension %q: %w", r.cfg.Extension, err)
	}
	r.release = release
	return nil
}

// consume hands spans on, and counts them as the collector counts those of any
// receiver.
func (r *tracesReceiver) consume(ctx context.Context, td ptrace.Traces) error {
	n := td.SpanCount() // before the pipeline owns them
	ctx = r.report.StartTracesOp(ctx)
	err := r.next.ConsumeTraces(ctx, td)
	r.report.EndTracesOp(ctx, "otlp", n, err)
	return err
}

// Shutdown takes the consumer back: when it returns, no span comes any more. It
// may be called without Start, and twice.
func (r *tracesReceiver) Shutdown(context.Context) error {
	if r.release != nil {
		r.release()
		r.release = nil
	}
	return nil
}
