package agentlensexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 64 << 10

// client speaks the backend's wire.
type client struct {
	http   *http.Client
	base   *url.URL
	apiKey string
}

// postEvents posts one batch. An error is permanent, a *throttled, or to be
// tried again.
func (c *client) postEvents(ctx context.Context, events []wire.Event) (wire.Answer, error) {
	var answer wire.Answer
	body, err := c.post(ctx, wire.Batch{Events: events}, "events")
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		// Whether the batch was taken is not known; ids make a repeat harmless.
		return answer, fmt.Errorf("answer to POST /events is not JSON: %w", err)
	}
	return answer, nil
}

// postTags tags a session, postAnnotation annotates it.
func (c *client) postTags(ctx context.Context, sessionID string, tags []string) error {
	_, err := c.post(ctx, wire.Tags{Tags: tags}, "sessions", sessionID, "tags")
	return err
}

func (c *client) postAnnotation(ctx context.Context, sessionID string, a wire.Annotation) error {
	_, err := c.post(ctx, a, "sessions", sessionID, "annotations")
	return err
}

// post sends a JSON body and returns the answer's. A status that is not a
// success becomes an error.
func (c *client) post(ctx context.Context, payload any, path ...string) ([]byte, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, consumererror.NewPermanent(fmt.Errorf("encode: %w", err))
	}
	target := c.base.JoinPath(path...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, consumererror.NewPermanent(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.apiKey != "" {
		req.Header.Set(wire.HeaderAPIKey, c.apiKey)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("POST %s: %w", target.Redacted(), withoutURL(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		if err != nil {
			return nil, fmt.Errorf("POST %s: read the answer: %w", target.Redacted(), err)
		}
		return answer, nil
	}
	return nil, statusError(resp, answer, target)
}

// statusError turns a refusal into an error: to be retried, and when, or
// permanent.
func statusError(resp *http.Response, answer []byte, target *url.URL) error {
	err := fmt.Errorf("POST %s: %s%s", target.Redacted(), resp.Status, reason(answer))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
		if wait, ok := retryAfter(resp.Header, time.Now()); ok {
			return &throttled{err: err, wait: wait}
		}
		return err
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusRequestTimeout:
		return err
	default:
		return consumererror.NewPermanent(err)
	}
}

// throttled is a refusal that says how long to wait.
type throttled struct {
	err  error
	wait time.Duration
}

func (t *throttled) Error() string { return t.err.Error() }
func (t *throttled) Unwrap() error { return t.err }

// reason returns the backend's own words for an error.
func reason(answer []byte) string {
	var e wire.Error
	if json.Unmarshal(answer, &e) == nil && e.Error != "" {
		return ": " + e.Error
	}
	return ""
}

// retryAfter reads how long to wait: Retry-After in seconds or as a date, else
// RateLimit-Reset in seconds.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	for _, name := range [...]string{"Retry-After", wire.HeaderRateLimitReset} {
		v := h.Get(name)
		if seconds, err := strconv.Atoi(v); err == nil && seconds >= 0 {
			return time.Duration(seconds) * time.Second, true
		}
		if at, err := http.ParseTime(v); err == nil {
			return max(0, at.Sub(now)), true
		}
	}
	return 0, false
}

// withoutURL drops the URL from an error of net/http: it may hold credentials,
// and the message has it already, redacted.
func withoutURL(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}
