// Package pipelines holds the collector configurations that are measured. Each
// is base.yaml and the files it lists over it, so that
//
//	agentlens-bench --config base.yaml --config agentlens.yaml
//
// with the BENCH_* addresses in the environment runs one by hand.
package pipelines
