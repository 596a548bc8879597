// Package roundtrip compares what an agent tracked with what a backend's API
// tells of it, field by field. The demo and the end-to-end test use it, so that
// both mean the same by "everything arrived".
package roundtrip

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Detail is what GET /sessions/{id} answers, as far as it is compared or shown.
type Detail struct {
	analysis.Session
	TotalCostUSD analysis.Opt[float64] `json:"total_cost_usd"`
	Tags         []string              `json:"tags"`
	Annotations  []Annotation          `json:"annotations"`
}

// Annotation is a finding as the backend holds it.
type Annotation struct {
	Text    string `json:"text"`
	Type    string `json:"type"`
	EventID string `json:"event_id"`
}

// Client reads an AgentLens backend's API.
type Client struct {
	BaseURL string
	APIKey  string
}

// Session returns one session with all its events.
func (c *Client) Session(ctx context.Context, id string) (*Detail, error) {
	var d Detail
	return &d, c.get(ctx, "/sessions/"+url.PathEscape(id)+"?limit=10000", &d)
}

// Explain returns the backend's explanation of a session.
func (c *Client) Explain(ctx context.Context, id string) (string, error) {
	var answer struct {
		Explanation string `json:"explanation"`
	}
	err := c.get(ctx, "/sessions/"+url.PathEscape(id)+"/explain", &answer)
	return answer.Explanation, err
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.BaseURL+path, nil)
	if err != nil {
		return err
	}
	if c.APIKey != "" {
		req.Header.Set("X-API-Key", c.APIKey)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// Compare returns a line for each difference between what was tracked and what
// the backend holds; none means that everything arrived as it was. Times agree
// when they do to the microsecond, the wire's precision. What the backend adds
// (cost, trace ids) is no difference.
func Compare(tracked *analysis.Session, held *Detail) []string {
	c := comparison{prefix: "session " + tracked.ID}
	c.equal("session_id", tracked.ID, held.ID)
	c.equal("agent_name", tracked.AgentName, held.AgentName)
	c.equal("status", tracked.Status, held.Status)
	c.equal("started_at", micros(tracked.StartedAt), micros(held.StartedAt))
	c.equal("ended_at", micros(tracked.EndedAt), micros(held.EndedAt))
	c.equal("total_tokens_in", tracked.TotalTokensIn, held.TotalTokensIn)
	c.equal("total_tokens_out", tracked.TotalTokensOut, held.TotalTokensOut)
	c.equal("metadata", generic(tracked.Metadata), generic(held.Metadata))
	c.equal("event order", eventIDs(tracked), eventIDs(&held.Session))

	byID := map[string]*analysis.Event{}
	for i := range held.Events {
		byID[held.Events[i].ID] = &held.Events[i]
	}
	for i := range tracked.Events {
		c.event(&tracked.Events[i], byID[tracked.Events[i].ID])
	}
	return c.differences
}

type comparison struct {
	prefix      string
	differences []string
}

func (c *comparison) equal(field string, tracked, held any) {
	if !reflect.DeepEqual(tracked, held) {
		c.differences = append(c.differences, fmt.Sprintf("%s: %s was %v, the backend has %v", c.prefix, field, tracked, held))
	}
}

func (c *comparison) event(tracked, held *analysis.Event) {
	if held == nil {
		c.differences = append(c.differences, fmt.Sprintf("%s: event %s (%s) is not in the backend", c.prefix, tracked.ID, tracked.Type))
		return
	}
	want, got := comparable(tracked), comparable(held)
	if tracked.CostUSD.OK {
		c.equal("cost_usd", tracked.CostUSD, held.CostUSD)
	}
	for _, field := range fields(want, got) {
		if field != "cost_usd" {
			c.equal(fmt.Sprintf("event %s (%s): %s", tracked.ID, tracked.Type, field), want[field], got[field])
		}
	}
}

// comparable returns an event as JSON knows it, with times to the microsecond.
func comparable(e *analysis.Event) map[string]any {
	copied := *e
	copied.Timestamp = micros(e.Timestamp)
	if e.ToolCall != nil {
		t := *e.ToolCall
		t.Timestamp = micros(t.Timestamp)
		copied.ToolCall = &t
	}
	if e.DecisionTrace != nil {
		d := *e.DecisionTrace
		d.Timestamp = micros(d.Timestamp)
		copied.DecisionTrace = &d
	}
	copied.Input, copied.Output = present(e.Input), present(e.Output)
	m, _ := generic(&copied).(map[string]any)
	return m
}

// present turns the JSON null, which a backend answers for what is absent, into
// nothing.
func present(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func fields(a, b map[string]any) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// generic returns v after a round through JSON, empty maps as nil.
func generic(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		return err
	}
	if m, ok := out.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	return out
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func eventIDs(s *analysis.Session) []string {
	ids := make([]string, len(s.Events))
	for i := range s.Events {
		ids[i] = s.Events[i].ID
	}
	return ids
}
