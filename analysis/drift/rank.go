package drift

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactWork bounds the work of the exact null distribution, in additions. It
// is reached at 12 sessions a side, or 3 against 100: beyond, the normal
// approximation errs on the safe side.
const exactWork = 100_000

// mannWhitney returns the two-sided p-value of the Mann-Whitney test of two
// sorted, non-empty samples: exact given the ties when they are small, else by
// the normal approximation with corrections for ties and continuity.
func mannWhitney(a, b []float64) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	n1, n2 := len(a), len(b)
	n := n1 + n2
	ranks, rankSum, ties, step := doubledRanks(a, b)
	if n1*n1*n*n <= exactWork {
		return exactRankP(ranks, n1, rankSum)
	}
	mean := float64(n1) * float64(n+1)
	variance := float64(n1) * float64(n2) / 3 * (float64(n+1) - ties/(float64(n)*float64(n-1)))
	if variance <= 0 {
		return 1
	}
	z := max(0, math.Abs(float64(rankSum)-mean)-float64(max(2, step))/2) / math.Sqrt(variance)
	return min(1, 2*distuv.UnitNormal.Survival(z))
}

// doubledRanks returns twice the midrank of every value of both samples, in
// order; twice the rank sum of a; the sum of t^3-t over the groups of t equal
// values; and the step of the possible rank sums: 2 without ties, and large when
// there are few different values.
func doubledRanks(a, b []float64) (ranks []int, rankSum int, ties float64, step int) {
	n := len(a) + len(b)
	ranks = make([]int, 0, n)
	for i, j := 0, 0; i+j < n; {
		var v float64
		if j == len(b) || (i < len(a) && a[i] <= b[j]) {
			v = a[i]
		} else {
			v = b[j]
		}
		before := i + j
		for i < len(a) && same(a[i], v) {
			i++
		}
		fromA := i + j - before
		for j < len(b) && same(b[j], v) {
			j++
		}
		after := i + j
		rank := before + 1 + after
		if before > 0 {
			step = gcd(step, rank-ranks[before-1])
		}
		for range after - before {
			ranks = append(ranks, rank)
		}
		rankSum += fromA * rank
		t := float64(after - before)
		ties += t*t*t - t
	}
	return ranks, rankSum, ties, step
}

// exactRankP returns the share of all choices of k of the ranks whose sum is at
// least as far from its mean as rankSum is.
func exactRankP(ranks []int, k, rankSum int) float64 {
	n := len(ranks)
	top := 0
	for _, r := range ranks[n-k:] {
		top += r
	}
	// ways[c][s] is the number of choices of c ranks with sum s.
	ways := make([][]float64, k+1)
	for c := range ways {
		ways[c] = make([]float64, top+1)
	}
	ways[0][0] = 1
	reached := 0
	for i, r := range ranks {
		reached = min(reached+r, top)
		for c := min(i+1, k); c >= 1; c-- {
			from, to := ways[c-1], ways[c]
			for s := reached; s >= r; s-- {
				to[s] += from[s-r]
			}
		}
	}
	mean := k * (n + 1)
	distance := abs(rankSum - mean)
	var extreme, all float64
	for s, w := range ways[k] {
		all += w
		if abs(s-mean) >= distance {
			extreme += w
		}
	}
	return extreme / all
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func abs(x int) int { return max(x, -x) }
