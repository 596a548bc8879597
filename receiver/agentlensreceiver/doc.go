// Package agentlensreceiver is the collector receiver agentlens: it takes the
// spans that are posted to /v1/traces of the agentlens_backend extension, so that
// agents need to know one address.
//
// The extension has the port, the API key and OTLP/HTTP; the receiver finds it
// through the host at Start, hands it its consumer, and takes that back at
// Shutdown. It imports no other package of this module; its caller is the
// collector, through NewFactory.
package agentlensreceiver

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
