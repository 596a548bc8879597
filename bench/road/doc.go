// Package road measures the whole way of an event: from OTLP to rows in the
// embedded backend, and from the SDK's Track to the API. The program bench
// calls it.
package road
