// Package sdkcheck holds the SDK against the collector's reader: what is
// recorded live must read as the event that the SDK itself keeps. It is a
// package of its own, as neither of the two may import the other. It has only
// tests.
package sdkcheck
