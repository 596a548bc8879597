package agentlens

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// apiKeyHeader carries the API key.
const apiKeyHeader = "X-API-Key"

// defaultRetryInterval is the pause before the first retry, before jitter.
const defaultRetryInterval = 500 * time.Millisecond

// maxRetryPause is the longest pause between two attempts. A server that asks
// for a longer one is not waited for: newer spans would be dropped meanwhile.
const maxRetryPause = time.Minute

// retryTransport sends the exporter's requests with the API key and tries
// failed ones again: the exporter's own retry knows a time, not a number.
type retryTransport struct {
	base       http.RoundTripper
	apiKey     string
	maxRetries int
	interval   time.Duration
	// timeout bounds one attempt, so that a server that hangs is tried again.
	timeout time.Duration
}

// RoundTrip sends the request up to 1 + maxRetries times. It returns the last
// answer or error.
func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = t.interval
	pauses.Multiplier = 2
	pauses.MaxInterval = maxRetryPause
	pauses.Reset()

	for attempt := 0; ; attempt++ {
		resp, err := t.try(req)
		if attempt == t.maxRetries || ctx.Err() != nil || !retryable(resp, err) {
			return resp, err
		}
		pause := pauses.NextBackOff()
		if asked, ok := retryAfter(resp); ok {
			pause = asked
		}
		if pause > maxRetryPause {
			return resp, err
		}
		discard(resp)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// CloseIdleConnections closes those of the transport below.
func (t *retryTransport) CloseIdleConnections() {
	(&http.Client{Transport: t.base}).CloseIdleConnections()
}

func (t *retryTransport) try(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	attempt := req.Clone(ctx)
	// A key in OTEL_EXPORTER_OTLP_HEADERS wins over the default one.
	if t.apiKey != DefaultAPIKey || attempt.Header.Get(apiKeyHeader) == "" {
		attempt.Header.Set(apiKeyHeader, t.apiKey)
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			cancel()
			return nil, err
		}
		attempt.Body = body
	}
	resp, err := t.base.RoundTrip(attempt)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &cancelOnClose{resp.Body, cancel}
	return resp, nil
}

// retryable reports whether another attempt can help: the statuses that the
// OTLP specification lists, and connection errors.
func retryable(resp *http.Response, err error) bool {
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		return !errors.As(err, &untrusted)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns how long the server asks to wait: seconds or a date.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseInt(v, 10, 32); err == nil && s >= 0 {
		return time.Duration(s) * time.Second, true
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// discard reads what is left of an answer, so that its connection is used again.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}

// cancelOnClose ends an attempt's context when its answer has been read.
type cancelOnClose struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *cancelOnClose) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
