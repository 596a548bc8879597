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
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 1 << 20

// Kinds of requests, by which their latency is measured.
const (
	requestEvents      = "events"
	requestTags        = "tags"
	requestAnnotations = "annotations"
)

// client speaks the backend's wire. Its errors are permanent, or *throttled,
// or *tooLarge, or else to be tried again. Of an error that does not wrap a
// *refusal it is not known whether the backend took the request.
type client struct {
	http   *http.Client
	base   *url.URL
	apiKey string
	// events and findings space the two kinds of requests that the backend
	// counts apart.
	events, findings *pace
	latency          metric.Float64Histogram
}

// postEvents posts the JSON of one batch.
func (c *client) postEvents(ctx context.Context, body []byte) (wire.Answer, error) {
	var answer wire.Answer
	text, err := c.do(ctx, requestEvents, http.MethodPost, body, "events")
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		// Whether the batch was taken is not known; ids make a repeat harmless.
		return answer, fmt.Errorf("answer to POST /events is not JSON: %w", err)
	}
	return answer, nil
}

// postTags tags a session, postAnnotation annotates it.
func (c *client) postTags(ctx context.Context, sessionID string, tags []string) error {
	body, err := json.Marshal(wire.Tags{Tags: tags})
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("encode tags: %w", err))
	}
	_, err = c.do(ctx, requestTags, http.MethodPost, body, "sessions", sessionID, "tags")
	return err
}

func (c *client) postAnnotation(ctx context.Context, sessionID string, a *wire.Annotation) error {
	body, err := json.Marshal(a)
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("encode an annotation: %w", err))
	}
	_, err = c.do(ctx, requestAnnotations, http.MethodPost, body, "sessions", sessionID, "annotations")
	return err
}

// annotations returns those of a session.
func (c *client) annotations(ctx context.Context, sessionID string) ([]wire.Annotation, error) {
	text, err := c.do(ctx, requestAnnotations, http.MethodGet, nil, "sessions", sessionID, "annotations")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Annotations []wire.Annotation `json:"annotations"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("answer to GET annotations is not JSON: %w", err)
	}
	return answer.Annotations, nil
}

// do sends a request when its kind's pace lets it, and returns the answer's
// body. A status that is not a success becomes an error.
func (c *client) do(ctx context.Context, kind, method string, body []byte, path ...string) ([]byte, error) {
	rhythm := c.findings
	if kind == requestEvents {
		rhythm = c.events
	}
	if err := rhythm.wait(ctx); err != nil {
		return nil, &refusal{fmt.Errorf("wait for the rate limit: %w", err)}
	}
	begin := time.Now()
	answer, err := c.roundTrip(ctx, method, body, path...)
	c.latency.Record(ctx, time.Since(begin).Seconds(), metric.WithAttributes(
		attribute.String("request", kind), attribute.String("outcome", outcome(err))))
	if t := (*throttled)(nil); errors.As(err, &t) {
		rhythm.pause(t.wait)
	}
	return answer, err
}

func (c *client) roundTrip(ctx context.Context, method string, body []byte, path ...string) ([]byte, error) {
	target := c.base.JoinPath(path...)
	what := method + " " + target.Redacted()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, consumererror.NewPermanent(fmt.Errorf("%s: %w", what, withoutURL(err)))
	}
	req.Header.Set("Content-Type", "application/json")
	if c.apiKey != "" {
		req.Header.Set(wire.HeaderAPIKey, c.apiKey)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		if err != nil {
			return nil, fmt.Errorf("%s: read the answer: %w", what, err)
		}
		return answer, nil
	}
	return nil, statusError(resp, answer, what)
}

// outcome is the value of the attribute outcome.
func outcome(err error) string {
	var (
		slow  *throttled
		large *tooLarge
	)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &slow):
		return "throttled"
	case errors.As(err, &large):
		return "too_large"
	case consumererror.IsPermanent(err):
		return "refused"
	default:
		return "failed"
	}
}

// noRedirect keeps a client from following redirects: they turn a POST into a
// GET, and would take the API key to another host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutURL drops the URL from an error of net/http or net/url: it may hold
// credentials, and the message has it already, redacted.
func withoutURL(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}
