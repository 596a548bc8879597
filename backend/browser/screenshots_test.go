package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestScreenshots takes the pictures of docs/images; SCREENSHOTS names the
// folder. `make screenshots` runs it.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		t.Skip("SCREENSHOTS is not set: make screenshots takes pictures")
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, mode := range []string{"light", "dark"} {
		for _, size := range []struct {
			name          string
			width, height int64
			pages         []string
		}{
			{"wide", 1440, 900, []string{"overview", "sessions", "session", "agents", "agent", "compare", "compare-versions", "alerts"}},
			{"narrow", 390, 844, []string{"overview", "sessions", "session"}},
		} {
			t.Run(mode+" "+size.name, func(t *testing.T) {
				s := open(t, size.width, size.height, mode == "dark")
				fill(t, s.url, time.Now().UTC(), 29)
				pages := demoPages(s)
				for _, name := range size.pages {
					s.visit(pages[name])
					if name == "session" {
						eval[bool](s, `document.querySelector(".step > details").open = true`)
					}
					// Whole pages as tall as they are, within reason.
					height := min(1800, eval[int64](s, `document.documentElement.scrollHeight`))
					s.run(chromedp.EmulateViewport(size.width, max(size.height, height)))
					picture, err := chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
					require.NoError(t, err)
					s.run(chromedp.EmulateViewport(size.width, size.height))
					file := name + "-" + mode + ".png"
					if size.name != "wide" {
						file = name + "-" + mode + "-" + size.name + ".png"
					}
					require.NoError(t, os.WriteFile(filepath.Join(dir, file), picture, 0o644))
				}
			})
		}
	}
}
