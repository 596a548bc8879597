package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentlens/agentlens-otel/bench/measure"
)

func TestRegression(t *testing.T) {
	assert.NoError(t, regression(measure.Row{CPU: measure.Spread{Median: maxRatio, Max: 10 * maxRatio}}), "the median counts")
	assert.ErrorContains(t, regression(measure.Row{Pipeline: "p", CPU: measure.Spread{Median: maxRatio + 0.1}}), "p costs 8.1 times")
}

func TestCPUModel(t *testing.T) {
	assert.Equal(t, "AMD EPYC", cpuModel("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n"))
	assert.NotEmpty(t, cpuModel("BogoMIPS\t: 50\n"))
}
