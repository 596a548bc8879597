package agentlensprocessor

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

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

// measured keeps, for each set of labels that a counter is given, its options.
// There are as many as the labels have values, which are capped or configured.
type measured[K comparable] struct {
	options map[K][]metric.AddOption
}

// of returns the options for the labels that the key stands for.
func (m *measured[K]) of(key K, labels func(K) []attribute.KeyValue) []metric.AddOption {
	if options, ok := m.options[key]; ok {
		return options
	}
	if m.options == nil {
		m.options = map[K][]metric.AddOption{}
	}
	options := []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(labels(key)...))}
	m.options[key] = options
	return options
}

// costLabels are the labels of what a call cost.
type costLabels struct{ agent, model string }

func (l costLabels) keyValues() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("agent", l.agent), attribute.String("model", l.model)}
}

func dialectLabel(dialect string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("dialect", dialect)}
}

// ruleLabels are the labels of a compliance result.
type ruleLabels struct{ policy, rule, verdict string }

func (l ruleLabels) keyValues() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("policy", l.policy), attribute.String("rule", l.rule), attribute.String("verdict", l.verdict)}
}

func statusLabel(status string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("status", status)}
}
