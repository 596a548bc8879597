package agentlensprocessor

import "sync"

// maxLabels bounds the values that an agent or model label of a metric takes.
const maxLabels = 100

// overflowLabel stands for the values beyond, as in OpenTelemetry's own
// cardinality limit.
const overflowLabel = "otel.metric.overflow"

// labels caps the values of a metric label: the first maxLabels are kept.
type labels struct {
	mu     sync.RWMutex
	values map[string]struct{}
}

func newLabels() *labels { return &labels{values: map[string]struct{}{}} }

// of returns the value to put on a metric for v.
func (l *labels) of(v string) string {
	l.mu.RLock()
	_, ok := l.values[v]
	full := len(l.values) >= maxLabels
	l.mu.RUnlock()
	switch {
	case ok:
		return v
	case full:
		return overflowLabel
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.values) >= maxLabels {
		return overflowLabel
	}
	l.values[v] = struct{}{}
	return v
}
