package backend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

const (
	// streamPause is the least time between two messages of a stream: changes
	// that come meanwhile go together.
	streamPause = 250 * time.Millisecond
	// streamBeat is how long a stream stays silent at most, so that proxies keep
	// it open and a client that has gone is noticed.
	streamBeat = 15 * time.Second
	// streamIDs bounds the sessions a message names.
	streamIDs = 100
)

// hub tells streams which sessions have changed. The zero hub has none.
type hub struct {
	mu      sync.Mutex
	streams map[*subscription]bool
	closed  bool
}

// subscription is one stream's share: what has changed since it last looked.
type subscription struct {
	changed map[string]bool
	// wake holds a token while changed is not empty.
	wake chan struct{}
	gone chan struct{} // closed when the hub closes
}

func (h *hub) subscribe() *subscription {
	s := &subscription{changed: map[string]bool{}, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.gone)
		return s
	}
	if h.streams == nil {
		h.streams = map[*subscription]bool{}
	}
	h.streams[s] = true
	return s
}

func (h *hub) unsubscribe(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

// close ends all streams, and those that come later at once.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.streams {
		close(s.gone)
	}
	clear(h.streams)
}

// publish never waits.
func (h *hub) publish(ids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		for _, id := range ids {
			if len(s.changed) <= streamIDs {
				s.changed[id] = true
			}
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// publishBatch publishes the sessions of a batch.
func (h *hub) publishBatch(batch []wire.Event) {
	h.mu.Lock()
	none := len(h.streams) == 0
	h.mu.Unlock()
	if none {
		return
	}
	seen := map[string]bool{}
	var ids []string
	for i := range batch {
		if id := batch[i].SessionID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	h.publish(ids...)
}

// take returns what has changed, and forgets it.
func (h *hub) take(s *subscription) (ids []string, more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range s.changed {
		ids = append(ids, id)
	}
	clear(s.changed)
	slices.Sort(ids)
	if len(ids) > streamIDs {
		return ids[:streamIDs], true
	}
	return ids, false
}

// change is the data of a stream's message "change".
type change struct {
	Sessions []string `json:"sessions"`
	// More says that other sessions have changed too.
	More bool `json:"more,omitempty"`
}

// getStream is GET /api/stream: server-sent events, one "change" whenever
// sessions have changed, at most four a second.
func (s *Server) getStream(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	// A stream outlives the server's time limit for an answer; where the limit
	// cannot be lifted the browser connects again.
	_ = out.SetWriteDeadline(time.Time{})
	sub := s.hub.subscribe()
	defer s.hub.unsubscribe(sub)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if _, err := fmt.Fprint(w, "retry: 1000\n\n"); err != nil || out.Flush() != nil {
		return
	}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for {
		message := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-sub.gone:
			return
		case <-beat.C:
		case <-sub.wake:
			ids, more := s.hub.take(sub)
			data, _ := json.Marshal(change{ids, more}) // strings always marshal
			message = "event: change\ndata: " + string(data) + "\n\n"
		}
		if _, err := fmt.Fprint(w, message); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-sub.gone:
			return
		case <-time.After(streamPause):
		}
	}
}
