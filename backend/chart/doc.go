// Package chart draws figures as SVG, in Go, without a style of its own: every
// shape has a class, and the style sheet gives it its colour, light or dark.
//
// Positions along x are percentages and text is never scaled, so one drawing
// reads as well on a telephone as on a wide screen. Each drawing has a title
// and a description for who cannot see it, and a tooltip on each shape. The
// package imports the standard library only; its caller is backend/web.
package chart
