package drift

// Split returns the newest n sessions of the window and those before them, as
// windows to compare. They share the window's memory: use them before it is
// changed, and add nothing to them.
func (w *Window) Split(n int) (before, newest *Window) {
	cut := max(0, len(w.held)-n)
	before = &Window{maxSessions: max(1, cut), held: w.held[:cut:cut]}
	newest = &Window{maxSessions: max(1, n), held: w.held[cut:]}
	return before, newest
}
