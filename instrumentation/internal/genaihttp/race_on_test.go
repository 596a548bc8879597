//go:build race

package genaihttp_test

const raceEnabled = true
