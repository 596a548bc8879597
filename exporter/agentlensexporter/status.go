package agentlensexporter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// refusal is an error of a request that the backend has not taken.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// throttled is a refusal that says how long to wait.
type throttled struct {
	err  error
	wait time.Duration
}

func (t *throttled) Error() string { return t.err.Error() }
func (t *throttled) Unwrap() error { return t.err }

// tooLarge is a refusal of a batch that fewer events may pass.
type tooLarge struct{ err error }

func (t *tooLarge) Error() string { return t.err.Error() }
func (t *tooLarge) Unwrap() error { return t.err }

// statusError turns a status that is no success into an error: to be tried
// again, and when, or in smaller parts, or permanent.
func statusError(resp *http.Response, answer []byte, what string) error {
	why := reason(answer)
	err := error(&refusal{fmt.Errorf("%s: %s%s%s", what, resp.Status, location(resp), why)})
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
		if wait, ok := retryAfter(resp.Header, time.Now()); ok {
			return &throttled{err: err, wait: wait}
		}
		return err
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusRequestTimeout:
		return err
	case resp.StatusCode == http.StatusRequestEntityTooLarge, strings.Contains(why, "Batch too large"):
		return &tooLarge{err}
	default:
		return consumererror.NewPermanent(err)
	}
}

// reason returns the backend's own words for an error.
func reason(answer []byte) string {
	var e wire.Error
	if json.Unmarshal(answer, &e) == nil && e.Error != "" {
		return ": " + cutText(e.Error, wire.MaxStringChars)
	}
	return ""
}

func location(resp *http.Response) string {
	if to, err := resp.Location(); err == nil {
		return fmt.Sprintf(" to %s, which is not followed: set endpoint to it", to.Redacted())
	}
	return ""
}

// epochSeconds tells a time since 1970 from a number of seconds to wait: some
// servers write the former into RateLimit-Reset.
const epochSeconds = 1_000_000_000

// retryAfter reads how long to wait: Retry-After in seconds or as a date, else
// RateLimit-Reset in seconds.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	for _, name := range [...]string{"Retry-After", wire.HeaderRateLimitReset} {
		v := h.Get(name)
		if seconds, err := strconv.ParseInt(v, 10, 64); err == nil && seconds >= 0 {
			if seconds >= epochSeconds {
				return max(0, time.Unix(seconds, 0).Sub(now)), true
			}
			return time.Duration(seconds) * time.Second, true
		}
		if at, err := http.ParseTime(v); err == nil {
			return max(0, at.Sub(now)), true
		}
	}
	return 0, false
}
