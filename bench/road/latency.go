package road

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agentlens/agentlens-otel/bench/pipelines"
	"github.com/agentlens/agentlens-otel/bench/subject"
	"github.com/agentlens/agentlens-otel/instrumentation/agentlens"
)

// Latencies tracks events through the SDK, one every pause, and returns how
// long each took from Track to being readable from the API, in ms. The SDK and
// the exporter have their defaults: each flushes after a second, unless the
// options say otherwise.
func Latencies(ctx context.Context, binary string, cores subject.Cores, events int, pause time.Duration, opts ...agentlens.Option) (ms []float64, err error) {
	c, err := subject.Start(ctx, binary, pipelines.Backend, cores)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	tracker, err := agentlens.NewTracker(ctx, append([]agentlens.Option{agentlens.WithEndpoint("http://" + c.HTTP)}, opts...)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tracker.Shutdown(ctx)) }()
	sctx, session, err := tracker.StartSession(ctx, "bench-agent")
	if err != nil {
		return nil, err
	}

	tracked := map[string]time.Time{}
	seen := func() (bool, error) {
		ids, err := storedIDs(ctx, "http://"+c.API, session.ID())
		now := time.Now()
		for _, id := range ids {
			if at, waiting := tracked[id]; waiting {
				ms = append(ms, float64(now.Sub(at).Microseconds())/1000)
				delete(tracked, id)
			}
		}
		return len(tracked) == 0, err
	}
	begin := time.Now()
	for n, all := 0, false; n < events || !all; {
		if n < events && time.Since(begin) >= time.Duration(n)*pause {
			at := time.Now()
			e, err := session.Track(sctx, agentlens.EventLLMCall, agentlens.WithModel("gpt-4o"), agentlens.WithTokens(1200, 350),
				agentlens.WithInput(map[string]any{"prompt": "Summarize this article"}), agentlens.WithDurationMS(12))
			if err != nil {
				return nil, err
			}
			tracked[e.ID] = at
			n++
		}
		if all, err = seen(); err != nil {
			return nil, err
		}
		if time.Since(begin) > time.Duration(events)*pause+patience {
			return nil, fmt.Errorf("%d of %d events have not arrived\n%s", len(tracked), events, c.Log())
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return ms, session.End(ctx)
}

// storedIDs returns the ids of the events that the API has of a session; none
// of one that it does not know yet.
func storedIDs(ctx context.Context, url, session string) ([]string, error) {
	var answer struct {
		Events []struct {
			ID string `json:"event_id"`
		} `json:"events"`
	}
	err := get(ctx, url+"/sessions/"+session+"/events?limit=500", &answer)
	if err != nil && !errors.Is(err, errNotFound) {
		return nil, err
	}
	ids := make([]string, len(answer.Events))
	for i, e := range answer.Events {
		ids[i] = e.ID
	}
	return ids, nil
}
