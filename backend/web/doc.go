// Package web renders the backend's pages: html/template, one style sheet, a
// few small scripts, charts of backend/chart. Everything is embedded, so the
// pages work offline; they can be read without JavaScript, which adds live
// rows, replay and keys.
//
// It turns what insight and the store return into text and knows no HTTP but
// the header values its pages need. It imports backend/insight, backend/store,
// backend/finding, backend/chart and analysis. Its caller is backend.
package web
