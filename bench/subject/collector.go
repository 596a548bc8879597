package subject

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/agentlens/agentlens-otel/bench/pipelines"
)

// patience is how long the collector may take to start and to stop.
const patience = 30 * time.Second

// Collector is a running collector.
type Collector struct {
	// GRPC, HTTP and API are the addresses of its receivers and, in
	// pipelines.Backend, of its backend.
	GRPC, HTTP, API string

	pprof, metrics string
	dir            string
	cmd            *exec.Cmd
	log            lockedBuffer
	exited         chan struct{}
}

// Start starts the collector with a pipeline and returns when it takes
// requests. A collector that does not start is an error with its log.
func Start(ctx context.Context, binary string, pipeline pipelines.Pipeline, cores Cores) (*Collector, error) {
	dir, err := os.MkdirTemp("", "agentlens-bench-")
	if err != nil {
		return nil, err
	}
	configs, err := pipeline.Write(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	ports, err := freePorts(5)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	at := func(i int) string { return net.JoinHostPort("localhost", strconv.Itoa(ports[i])) }
	c := &Collector{GRPC: at(0), HTTP: at(1), API: at(2), pprof: at(3), metrics: at(4), dir: dir, exited: make(chan struct{})}

	command := cores.onCollector(binary)
	for _, path := range configs {
		command = append(command, "--config", path)
	}
	c.cmd = exec.Command(command[0], command[1:]...)
	c.cmd.Env = append(
		os.Environ(), "GOMAXPROCS=1", "BENCH_GRPC="+c.GRPC, "BENCH_HTTP="+c.HTTP, "BENCH_API="+c.API,
		"BENCH_PPROF="+c.pprof, "BENCH_METRICS_PORT="+strconv.Itoa(ports[4]), "BENCH_DATA="+dir,
	)
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", binary, err), os.RemoveAll(dir))
	}
	go func() {
		_ = c.cmd.Wait() // what it says is in the log
		close(c.exited)
	}()
	if err := c.ready(ctx); err != nil {
		err = fmt.Errorf("pipeline %s: %w\n%s", pipeline.Name, err, c.log.String())
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Collector) ready(ctx context.Context) error {
	deadline := time.After(patience)
	for _, address := range []string{c.metrics, c.pprof, c.GRPC, c.HTTP} {
		for {
			conn, err := net.DialTimeout("tcp", address, time.Second)
			if err == nil {
				conn.Close()
				break
			}
			select {
			case <-c.exited:
				return errors.New("the collector has exited")
			case <-deadline:
				return fmt.Errorf("the collector does not listen on %s", address)
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}

// Stop ends the collector and removes its files. One that does not go is
// killed, and that is an error.
func (c *Collector) Stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	var err error
	select {
	case <-c.exited:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.exited
		err = errors.New("the collector did not stop")
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// Log returns what the collector has written so far.
func (c *Collector) Log() string { return c.log.String() }

// get asks one of the collector's own endpoints.
func (c *Collector) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", url, res.Status, body)
	}
	return body, err
}

// freePorts returns ports on which nobody listens.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
