// Package config holds the configurations that the distribution ships with:
// default.yaml, which is built in, and examples to start from.
//
// It imports nothing. cmd/agentlens and the tests use it.
package config

import _ "embed"

// Default is the configuration of an agentlens that is started without one.
//
//go:embed default.yaml
var Default string
