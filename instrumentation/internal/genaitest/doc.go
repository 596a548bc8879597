// Package genaitest is what the tests of the middlewares have in common: a
// server that plays recorded answers, a transport that cuts them where a test
// wants, a recorder of spans, and the collector's own reader for them.
//
// Only tests import it.
package genaitest
