package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/internal/roundtrip"
)

// waitFor is how long anything may take that happens by itself. It is not a
// measure of speed: tests run on loaded machines.
const waitFor = 60 * time.Second

// repository is the root of the checkout.
func repository(t testing.TB) string {
	t.Helper()
	_, self, _, ok := runtime.Caller(0)
	require.True(t, ok)
	return filepath.Join(filepath.Dir(self), "..", "..")
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "agentlens-e2e-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "agentlens")
	cmd := exec.Command("go", "build", "-o", binary, "github.com/agentlens/agentlens-otel/cmd/agentlens")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the distribution: %w\n%s", err, out)
	}
	return binary, nil
})

// TestMain removes the binary that the tests have built.
func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// collector is a running distribution, with its own ports and data folder.
type collector struct {
	t        testing.TB
	binary   string
	args     []string
	env      []string
	ports    map[string]int
	log      *lockedBuffer
	cmd      *exec.Cmd
	exited   chan struct{}
	exitCode int
}

// newCollector prepares a distribution with a configuration of the project;
// "" is none, so that the embedded one is used.
func newCollector(t testing.TB, config string, env ...string) *collector {
	t.Helper()
	binary, err := build()
	require.NoError(t, err)
	c := &collector{t: t, binary: binary, log: &lockedBuffer{}, ports: map[string]int{}}
	c.env = append(os.Environ(), "AGENTLENS_DATA="+t.TempDir())
	c.env = append(c.env, env...)
	for _, name := range []string{
		"AGENTLENS_OTLP_GRPC_PORT", "AGENTLENS_OTLP_HTTP_PORT", "AGENTLENS_PORT", "AGENTLENS_HEALTH_PORT", "AGENTLENS_METRICS_PORT",
	} {
		c.ports[name] = freePort(t)
		c.env = append(c.env, name+"="+strconv.Itoa(c.ports[name]))
	}
	if config != "" {
		c.args = []string{"--config", filepath.Join(repository(t), config)}
	}
	t.Cleanup(func() {
		c.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the collector's log:\n%s", c.log.String())
		}
	})
	return c
}

// start starts the distribution, or starts it again, and returns when it is
// healthy.
func (c *collector) start() *collector {
	c.t.Helper()
	c.cmd = exec.Command(c.binary, c.args...)
	c.cmd.Env, c.cmd.Dir = c.env, c.t.TempDir()
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	require.NoError(c.t, c.cmd.Start())
	c.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(c.cmd, c.exited)

	url := fmt.Sprintf("http://localhost:%d", c.ports["AGENTLENS_HEALTH_PORT"])
	require.Eventually(c.t, func() bool {
		select {
		case <-c.exited:
			return true
		default:
		}
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, waitFor, 20*time.Millisecond, "the collector is not healthy:\n%s", c.log)
	select {
	case <-c.exited:
		require.FailNow(c.t, "the collector has exited", c.log.String())
	default:
	}
	return c
}

// stop ends the distribution with a signal and waits until it is gone.
func (c *collector) stop(signal syscall.Signal) {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Signal(signal)
	select {
	case <-c.exited:
	case <-time.After(waitFor):
		_ = c.cmd.Process.Kill()
		<-c.exited
		c.t.Errorf("the collector did not stop on %v", signal)
	}
	c.exitCode = c.cmd.ProcessState.ExitCode()
	c.cmd = nil
}

func (c *collector) otlpHTTP() string {
	return fmt.Sprintf("http://localhost:%d", c.ports["AGENTLENS_OTLP_HTTP_PORT"])
}

func (c *collector) api() *roundtrip.Client {
	return &roundtrip.Client{BaseURL: fmt.Sprintf("http://localhost:%d", c.ports["AGENTLENS_PORT"])}
}

// eventually polls until f returns "", and fails with its last answer.
func eventually(t testing.TB, f func(ctx context.Context) string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	for {
		problem := f(ctx)
		if problem == "" {
			return
		}
		select {
		case <-ctx.Done():
			require.FailNow(t, "it did not come about", problem)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// lockedBuffer is a bytes.Buffer that a process writes and a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
