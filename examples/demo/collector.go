package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// port is one port of the collector and the variable that moves it.
type port struct{ use, variable, number string }

// ports are all the ports that config/demo.yaml listens on.
type ports struct{ grpc, http, backend, health, metrics port }

func portsFromEnv() ports {
	from := func(use, variable, def string) port {
		return port{use, variable, cmp.Or(os.Getenv(variable), def)}
	}
	return ports{
		grpc:    from("OTLP/gRPC", "AGENTLENS_OTLP_GRPC_PORT", "4317"),
		http:    from("OTLP/HTTP", "AGENTLENS_OTLP_HTTP_PORT", "4318"),
		backend: from("backend", "AGENTLENS_PORT", "3000"),
		health:  from("health check", "AGENTLENS_HEALTH_PORT", "13133"),
		metrics: from("metrics", "AGENTLENS_METRICS_PORT", "8888"),
	}
}

// check returns an error for each port that somebody listens on already.
func (p ports) check() error {
	var errs []error
	for _, one := range []port{p.grpc, p.http, p.backend, p.health, p.metrics} {
		l, err := net.Listen("tcp", "localhost:"+one.number)
		if err != nil {
			errs = append(errs, fmt.Errorf("port %s (%s) is not free; set another: %s=… make demo (%w)", one.number, one.use, one.variable, err))
			continue
		}
		l.Close()
	}
	return errors.Join(errs...)
}

// collector is a running collector.
type collector struct {
	cmd *exec.Cmd
	// exited has the process's end.
	exited chan error
}

// startCollector returns when the collector says that it is healthy.
func startCollector(ctx context.Context, binary, config string, p ports) (*collector, error) {
	cmd := exec.Command(binary, "--config", config)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// A Ctrl-C is for the demo, which then stops the collector itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	c := &collector{cmd: cmd, exited: make(chan error, 1)}
	go func() { c.exited <- cmp.Or(cmd.Wait(), errors.New("exit status 0")) }()

	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !healthy(ctx, "http://localhost:"+p.health.number) {
		select {
		case err := <-c.exited:
			return nil, fmt.Errorf("the collector did not start: %w", err)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the collector did not become healthy: %w", ctx.Err()), c.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return c, nil
}

func healthy(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop lets the collector shut down in order.
func (c *collector) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
	select {
	case <-c.exited:
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the collector did not stop within 30 s of SIGTERM"), c.cmd.Process.Kill())
	}
}
