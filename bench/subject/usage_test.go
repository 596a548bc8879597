package subject

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCPUTime(t *testing.T) {
	cpu, err := cpuTime([]byte("1234 (odd) name (x) S 1 1234 1234 0 -1 4194560 9000 0 3 0 215 35 0 0 20 0 9 0 5172 1 2 3"))
	require.NoError(t, err)
	assert.Equal(t, 2500*time.Millisecond, cpu, "utime and stime, in hundredths")
	_, err = cpuTime([]byte("1234 (x) S 1 2"))
	assert.Error(t, err)
	_, err = cpuTime([]byte("1 (x) S 1 1 1 0 -1 0 0 0 0 0 x 35 0 0"))
	assert.Error(t, err)
}

func TestPeakRSS(t *testing.T) {
	rss, err := peakRSS([]byte("Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t   52100 kB\nVmRSS:\t 1 kB\n"))
	require.NoError(t, err)
	assert.EqualValues(t, 52100<<10, rss)
	_, err = peakRSS([]byte("Name:\tx\nVmRSS:\t 1 kB\n"))
	assert.Error(t, err)
}

func TestMemStat(t *testing.T) {
	profile := []byte("heap profile: 1: 2 [3: 4] @ heap/1048576\n\n# runtime.MemStats\n# Alloc = 1\n# TotalAlloc = 512\n# Mallocs = 77\n")
	n, err := memStat(profile, "Mallocs")
	require.NoError(t, err)
	assert.EqualValues(t, 77, n)
	n, err = memStat(profile, "Alloc")
	require.NoError(t, err)
	assert.EqualValues(t, 1, n, "not TotalAlloc")
	_, err = memStat(profile, "Frees")
	assert.Error(t, err)
}

func TestSumMetric(t *testing.T) {
	exposition := `# HELP otelcol_receiver_accepted_spans_total spans
# TYPE otelcol_receiver_accepted_spans_total counter
otelcol_receiver_accepted_spans_total{receiver="otlp",transport="grpc"} 1200
otelcol_receiver_accepted_spans_total{receiver="otlp",transport="{http} 9"} 1.5e+02
otelcol_receiver_accepted_spans_other_total{receiver="otlp"} 7
otelcol_process_uptime 3.5
otelcol_process_uptime_seconds 4
`
	for name, want := range map[string]float64{
		"otelcol_receiver_accepted_spans": 1350, "otelcol_process_uptime": 3.5, "otelcol_unknown": 0,
	} {
		got, err := sumMetric(exposition, name)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
	_, err := sumMetric("x{} many\n", "x")
	assert.Error(t, err)
}

func TestParseCores(t *testing.T) {
	for list, want := range map[string][]string{"0": {"0"}, "0-2,8": {"0", "1", "2", "8"}, "3,5-6": {"3", "5", "6"}} {
		got, err := parseCores(list)
		require.NoError(t, err)
		assert.Equal(t, want, got, list)
	}
	for _, list := range []string{"", "a", "1-b"} {
		_, err := parseCores(list)
		assert.Error(t, err, list)
	}
}
