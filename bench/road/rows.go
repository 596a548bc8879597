package road

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/agentlens/agentlens-otel/bench/load"
	"github.com/agentlens/agentlens-otel/bench/pipelines"
	"github.com/agentlens/agentlens-otel/bench/subject"
)

// Rows is how fast events become rows.
type Rows struct {
	Events int64
	// EventsPerSecond counts from the first request to when the API has
	// counted the last event.
	EventsPerSecond float64
	// CPUPerEvent is the collector's processor time in µs, backend included.
	CPUPerEvent float64
	// BytesPerEvent are allocations on the collector's heap.
	BytesPerEvent float64
	PeakRSS       int64
}

// patience is how long the last event may take.
const patience = 2 * time.Minute

// ToRows sends sessions through the pipeline with the embedded backend and waits
// until all of their events can be read from the API.
func ToRows(ctx context.Context, binary string, cores subject.Cores, content load.Content, requests int) (rows Rows, err error) {
	c, err := subject.Start(ctx, binary, pipelines.Backend, cores)
	if err != nil {
		return rows, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	return toRows(ctx, c, content, requests)
}

// profileSeconds is less than what the events of Profile take.
const profileSeconds = 5

// Profile returns a CPU profile of what ToRows measures.
func Profile(ctx context.Context, binary string, cores subject.Cores, content load.Content, requests int) (profile []byte, err error) {
	c, err := subject.Start(ctx, binary, pipelines.Backend, cores)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	profiled := make(chan error, 1)
	go func() {
		var err error
		profile, err = c.Profile(ctx, profileSeconds)
		profiled <- err
	}()
	_, err = toRows(ctx, c, content, requests)
	return profile, errors.Join(err, <-profiled)
}

func toRows(ctx context.Context, c *subject.Collector, content load.Content, requests int) (rows Rows, err error) {
	before, err := c.Usage(ctx)
	if err != nil {
		return rows, err
	}
	o := load.Options{Protocol: load.GRPC, Endpoint: c.GRPC, Content: content, Requests: requests, Sessions: 8}
	for i := range o.Sessions {
		rows.Events += int64(requests * load.DefaultShapes[i%len(load.DefaultShapes)].Events())
	}
	begin := time.Now()
	run, err := load.Start(o)
	if err != nil {
		return rows, err
	}
	if err := run.Wait(); err != nil {
		return rows, fmt.Errorf("%w\n%s", err, c.Log())
	}
	for n := int64(0); n < rows.Events; {
		if n, err = storedEvents(ctx, "http://"+c.API); err != nil {
			return rows, err
		}
		if time.Since(begin) > patience {
			return rows, fmt.Errorf("the backend has %d of %d events\n%s", n, rows.Events, c.Log())
		}
		// To count is work for the backend too.
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return rows, err
		}
	}
	took := time.Since(begin)
	after, err := c.Usage(ctx)
	rows.EventsPerSecond = float64(rows.Events) / took.Seconds()
	rows.CPUPerEvent = (after.CPU - before.CPU).Seconds() * 1e6 / float64(rows.Events)
	rows.BytesPerEvent = float64(after.AllocBytes-before.AllocBytes) / float64(rows.Events)
	rows.PeakRSS = after.PeakRSS
	return rows, err
}

// storedEvents asks the API how many events it has.
func storedEvents(ctx context.Context, url string) (int64, error) {
	var answer struct {
		Overview struct {
			Events int64 `json:"total_events"`
		} `json:"overview"`
	}
	err := get(ctx, url+"/analytics", &answer)
	return answer.Overview.Events, err
}

// errNotFound is what the API answers of a session that it does not know yet.
var errNotFound = errors.New("404 Not Found")

func get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%s answered %w", url, errNotFound)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
