package agentlensprocessor

import "sync"

// maxLabels bounds the values that an agent or model label of a metric takes.
const maxLabels = 100

// overflowLabel stands for the values beyond, as in OpenTelemetry's own
// cardinality limit.
const overflowLabel = "otel.metric.overflow"

// labels keeps the first maxLabels values of a metric label.
type labels struct {
	mu     sync.RWMutex
	values map[string]struct{}
}

func newLabels() *labels { return &labels{values: map[string]struct{}{}} }

// of returns the value to put on a metric for v.
func (l *labels) of(v string) string {
	if l.has(v) || l.add(v) || l.has(v) {
		return v
	}
	return overflowLabel
}

func (l *labels) has(v string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, ok := l.values[v]
	return ok
}

// add reports whether v is new and there was room for it.
func (l *labels) add(v string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.values[v]; ok || len(l.values) >= maxLabels {
		return false
	}
	l.values[v] = struct{}{}
	return true
}
