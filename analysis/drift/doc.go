// Package drift answers: is this agent behaving differently than before?
//
// It compares a baseline window of sessions with a current one. The report
// holds two readings side by side. The plain one is the original's: means,
// population standard deviations and Cohen's d of each metric. Its |d| >= 0.5
// is passed by chance in most comparisons of a few sessions, so the score and
// the status come from the other reading, whose error rate is held: a rank
// test for each metric, a permutation test for the mix of models, tools and
// event types, Benjamini-Hochberg over all of them, and a smallest change that
// is worth reporting. When the windows are too small to have seen a change the
// answer is "not enough evidence", with the number of sessions that would do.
//
// The unit of evidence is the session. Events of one session are alike and
// would count as more evidence than they are.
//
// A Window is bounded, keeps a small vector of figures for each session and no
// session, merges with another, and has a JSON form for snapshots.
//
// The package imports analysis and gonum. The SDK's users call it on sessions
// at hand; the collector's processor keeps two windows for each agent.
package drift
