// Package web renders the backend's pages: html/template, one style sheet, no
// script. Templates and style sheet are embedded, so the pages work offline.
//
// It turns what the store returns into text and knows no HTTP but the header
// values its pages need. It imports backend/store and analysis. Its caller is
// backend.
package web
