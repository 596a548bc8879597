//go:build race

package agentlens_test

const raceEnabled = true
