package pipelines

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed *.yaml
var files embed.FS

// Pipeline is a configuration under a name.
type Pipeline struct {
	// Name is what tables call it.
	Name string
	// Over lists the files over base.yaml.
	Over []string
	// Sessions says that the processor under test is AgentLens's, so that its
	// own count of spans can be asked for.
	Sessions bool
}

// The pipelines.
var (
	Bare       = Pipeline{Name: "bare"}
	Batch      = Pipeline{Name: "batch", Over: []string{"batch.yaml"}}
	AllEngines = Pipeline{Name: "agentlens, four engines", Over: []string{"agentlens.yaml"}, Sessions: true}
	Sessions   = only("sessions only", "only-sessions.yaml")
	Forecast   = only("forecast", "only-forecast.yaml")
	Compliance = only("compliance", "only-compliance.yaml")
	Drift      = only("drift", "only-drift.yaml")
	Alerts     = only("alerts", "only-alerts.yaml")

	Attributes   = Pipeline{Name: "attributes", Over: []string{"attributes.yaml"}}
	SpanMetrics  = Pipeline{Name: "spanmetrics", Over: []string{"spanmetrics.yaml"}}
	GroupByTrace = Pipeline{Name: "groupbytrace", Over: []string{"groupbytrace.yaml"}}
	TailSampling = Pipeline{Name: "tail_sampling", Over: []string{"tail_sampling.yaml"}}

	Backend = Pipeline{Name: "agentlens, embedded backend", Over: []string{"agentlens.yaml", "backend.yaml"}, Sessions: true}
)

func only(name, file string) Pipeline {
	return Pipeline{Name: "agentlens, " + name, Over: []string{"agentlens.yaml", file}, Sessions: true}
}

// Write puts the pipeline's files into dir and returns their paths, in the order
// in which the collector is to read them.
func (p Pipeline) Write(dir string) ([]string, error) {
	var paths []string
	for _, name := range append([]string{"base.yaml"}, p.Over...) {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}
