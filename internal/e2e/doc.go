// Package e2e tests the built distribution as a user runs it: the binary, real
// ports on loopback, real files. Nothing imports it; its helpers start the
// collector and read the backend's API. Where it matters in which order batches
// reach the backend, processor, exporter and backend stand in the test's process.
package e2e
