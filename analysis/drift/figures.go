package drift

import "github.com/agentlens/agentlens-otel/analysis"

// Figures returns the metrics of one session by name, those that were observed,
// as a comparison takes them: what a chart of a report's metrics is drawn from.
// A summary with a negative figure is refused with a *analysis.FieldError.
func Figures(s *analysis.Summary) (map[string]float64, error) {
	if err := check(s); err != nil {
		return nil, err
	}
	var x sample
	x.measure(s, 0)
	out := make(map[string]float64, numMetrics)
	for i, m := range metrics {
		if x.knows(i) {
			out[m.name] = x.values[i]
		}
	}
	return out, nil
}
