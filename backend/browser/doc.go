// Package browser holds no code of the backend: its tests open every page in a
// real browser, and `make screenshots` takes the pictures of docs/images.
package browser
