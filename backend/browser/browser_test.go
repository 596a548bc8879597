package browser

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend"
	"github.com/agentlens/agentlens-otel/backend/insight"
)

// names are those a browser is looked for under.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// findBrowser returns the browser's path. Without one the test is skipped, but
// in CI it fails: there the pages must be seen.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	text := "NO BROWSER: the dashboard's pages are not tested. Install one, for example apt-get install chromium; looked for " + strings.Join(names, ", ")
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, "\n*** "+text+" ***")
	t.Skip(text)
	return ""
}

// site is a backend with a browser's tab on it.
type site struct {
	t   *testing.T
	url string
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// open starts a backend and a browser.
func open(t *testing.T, width, height int64, dark bool) *site {
	t.Helper()
	path := findBrowser(t)
	srv, err := backend.New(context.Background(), backend.Config{
		Directory: t.TempDir(), Version: "v0.1.0", TraceURL: "http://localhost:16686/trace/{trace_id}",
		Figures: insight.Settings{Budgets: []forecast.NamedBudget{{Name: "everything", LimitUSD: 22, Period: forecast.PeriodMonthly}}},
	}, zaptest.NewLogger(t))
	require.NoError(t, err)
	web := httptest.NewServer(srv.Handler())
	s := &site{t: t, url: web.URL}

	allocator, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(int(width), int(height)),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancelTab := chromedp.NewContext(allocator, chromedp.WithListener(s.listen))
	s.ctx = ctx
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to go
		cancelTab()
		cancel()
		srv.EndStreams()
		web.Close()
		require.NoError(t, srv.Close())
	})
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	s.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}), chromedp.EmulateViewport(width, height))
	return s
}

// listen notes what a person would see in the console.
func (s *site) listen(event any) {
	note := func(format string, args ...any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.problems = append(s.problems, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		note("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			note("console: %s %v", e.Type, e.Args)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			note("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			note("%s: %d", e.Response.URL, e.Response.Status)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, s.url) && !strings.HasPrefix(e.Request.URL, "data:") {
			note("a request to somewhere else: %s", e.Request.URL)
		}
	}
}

// run runs actions in the tab.
func (s *site) run(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	require.NoError(s.t, chromedp.Do(s.ctx, steps...))
}

// visit opens a page and waits until it is there.
func (s *site) visit(path string) {
	s.t.Helper()
	s.run(chromedp.Navigate(s.url+path), chromedp.WaitVisible("main h1"))
}

// clean checks that nothing was complained about since the last time.
func (s *site) clean(where string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(s.t, s.problems, where)
	s.problems = nil
}

// eval returns what a script says.
func eval[T any](s *site, script string) T {
	s.t.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](script))
	require.NoError(s.t, err, script)
	return v
}

// patience is how long a page may take on a machine that is busy.
const patience = 30 * time.Second

// eventually waits until a script says true, and returns how long it took.
func (s *site) eventually(what, script string) time.Duration {
	s.t.Helper()
	begin := time.Now()
	// A page on its way has no body yet, or a part of it whose nodes are not to
	// be clicked.
	script = `(() => { try { return document.readyState === "complete" && !!(` + script + `) } catch { return false } })()`
	for !eval[bool](s, script) {
		if time.Since(begin) > patience {
			s.t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(begin)
}
