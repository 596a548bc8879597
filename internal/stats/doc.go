// Command stats measures how well the forecast and drift engines do on
// simulated data: forecast error and interval coverage, drift false alarms and
// power. `make stats` runs it; the same seed prints the same tables. Tests of
// this package hold the goals with fewer runs.
//
// It imports the engines of analysis and nothing of OpenTelemetry.
package main
