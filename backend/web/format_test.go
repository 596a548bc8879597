package web

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", -1000: "-1 000", -100: "-100", 1234567: "1 234 567"} {
		require.Equal(t, want, strings.ReplaceAll(number(n), "\u202f", " "))
	}
	for v, want := range map[float64]string{0: "$0", 0.0000123: "$1.2e-05", 0.0225: "$0.0225", 0.99999: "$1.0000", 1: "$1.00", 999.994: "$999.99", 1234.567: "$1 234.57", 1e6: "$1 000 000.00", 123456789.5: "$123 456 789.50"} {
		require.Equal(t, want, strings.ReplaceAll(usd(analysis.Some(v)), "\u202f", " "))
	}
	for v, want := range map[float64]string{0: "$0", 0.5: "$0.5", 8000: "$8000", 20_000: "$20k", 800_000: "$800k", 1e6: "$1M", 2.5e6: "$2.5M"} {
		require.Equal(t, want, axisMoney(v))
	}
	for v, want := range map[float64]string{0: "0 ms", 15.3: "15.3 ms", 999: "999 ms", 1000: "1.00 s", 59_990: "59.99 s", 60_000: "1 min 0 s", 3_599_000: "59 min 59 s", 3_599_999: "1 h 0 min", 5_400_000: "1 h 30 min"} {
		require.Equal(t, want, millis(analysis.Some(v)))
	}
	require.Equal(t, absent, usd(analysis.Opt[float64]{}))
	require.Equal(t, absent, millis(analysis.Opt[float64]{}))
	require.Equal(t, absent, count(analysis.Opt[int64]{}))
	require.Equal(t, "0", count(analysis.Some[int64](0)), "a zero is not absent")
}

func TestTone(t *testing.T) {
	for s, want := range map[string]string{
		"compliance:fail": "bad", "alert:spike": "bad", "error": "bad", "drift:degraded": "bad", "drift:minor_drift": "warn", "timeout": "warn",
		"drift:stable": "good", "completed": "good", "compliance:pass": "good", "anything": "plain", "": "plain",
	} {
		require.Equal(t, want, tone(s), s)
	}
}
