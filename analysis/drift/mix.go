package drift

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/agentlens/agentlens-otel/analysis"
)

// otherName stands for the names beyond those that analysis.Counts keeps.
const otherName = "(other)"

func toolsOf(x *sample) *analysis.Counts      { return &x.tools }
func modelsOf(x *sample) *analysis.Counts     { return &x.models }
func eventTypesOf(x *sample) *analysis.Counts { return &x.eventTypes }

// compareMix compares the counts that pick takes of every sample.
func compareMix(base, cur []*sample, pick func(*sample) *analysis.Counts) Mix {
	m := newMixture(base, cur, pick)
	return Mix{Shares: m.shares(base, cur), Test: m.test()}
}

// mixture is the data of a mix: per session, what share each name has.
type mixture struct {
	names []string
	// counts are per name, of all sessions of a side.
	baseCounts, curCounts []float64
	// A row for each session with any of the names, the baseline's first.
	rows   []mixRow
	nBase  int
	totals []float64 // sum over all rows, by name
}

type mixRow []mixCell

type mixCell struct {
	name  int
	share float64
}

func newMixture(base, cur []*sample, pick func(*sample) *analysis.Counts) *mixture {
	m := &mixture{}
	cells := 0
	for _, side := range [...][]*sample{base, cur} {
		for _, x := range side {
			for name := range countsOf(pick(x)) {
				cells++
				if i, found := slices.BinarySearch(m.names, name); !found {
					m.names = slices.Insert(m.names, i, name)
				}
			}
		}
	}
	m.baseCounts = make([]float64, len(m.names))
	m.curCounts = make([]float64, len(m.names))
	m.totals = make([]float64, len(m.names))
	m.rows = make([]mixRow, 0, len(base)+len(cur))
	all := make([]mixCell, 0, cells)
	add := func(side []*sample, counts []float64) {
		for _, x := range side {
			c := pick(x)
			total := float64(c.Total())
			if total <= 0 {
				continue
			}
			from := len(all)
			for name, n := range countsOf(c) {
				i, _ := slices.BinarySearch(m.names, name)
				share := float64(n) / total
				counts[i] += float64(n)
				m.totals[i] += share
				all = append(all, mixCell{i, share})
			}
			m.rows = append(m.rows, all[from:])
		}
	}
	add(base, m.baseCounts)
	m.nBase = len(m.rows)
	add(cur, m.curCounts)
	return m
}

// countsOf ranges over the names of a session with their counts.
func countsOf(c *analysis.Counts) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i := range c.List {
			if !yield(c.List[i].Name, c.List[i].N) {
				return
			}
		}
		if c.Other > 0 {
			yield(otherName, c.Other)
		}
	}
}

// shares returns how often each name occurs among all events of a window.
func (m *mixture) shares(base, cur []*sample) []Share {
	baseEvents, curEvents := max(1, sumEvents(base)), max(1, sumEvents(cur))
	out := make([]Share, 0, len(m.names))
	for i, name := range m.names {
		b, c := m.baseCounts[i], m.curCounts[i]
		if b == 0 && c == 0 {
			continue
		}
		s := Share{
			Name: name, BaselineRate: b / baseEvents, CurrentRate: c / curEvents,
			IsNew: b == 0, IsDropped: c == 0,
		}
		s.Change = s.CurrentRate - s.BaselineRate
		out = append(out, s)
	}
	return out
}

func sumEvents(samples []*sample) float64 {
	n := 0.0
	for _, x := range samples {
		n += x.events()
	}
	return n
}

const (
	// maxShuffles is how many permutations a p-value rests on at most: enough
	// to resolve the level that a dozen tests leave to each.
	maxShuffles = 1999
	// enoughExceeding ends a test early that is clearly not significant: the
	// p-value stays valid (Besag and Clifford, 1991).
	enoughExceeding = 20
)

// test shuffles whole sessions between the sides. The statistic is the
// triangular discrimination of the mean shares, sum of (p-q)^2/(p+q), which is
// in proportion to the Jensen-Shannon divergence to first order and needs no
// logarithm. The shuffles are the same in every process.
func (m *mixture) test() analysis.Opt[MixTest] {
	n, nCur := len(m.rows), len(m.rows)-m.nBase
	if m.nBase == 0 || nCur == 0 || n < 3 || len(m.names) < 2 {
		return analysis.Opt[MixTest]{}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	k, from := m.nBase, 0 // the smaller side is drawn
	if nCur < k {
		k, from = nCur, m.nBase
	}
	sum := make([]float64, len(m.names))
	observed := m.statistic(order[from:from+k], sum)
	t := MixTest{BaselineSessions: m.nBase, CurrentSessions: nCur, Divergence: m.divergence(sum, k)}

	random := rand.New(rand.NewPCG(0x64726966742e6d69, 0x78206f6620736573))
	exceeding, shuffles, byChance := 0, 0, 0.0
	for shuffles < maxShuffles && exceeding < enoughExceeding {
		for i := range k {
			j := i + random.IntN(n-i)
			order[i], order[j] = order[j], order[i]
		}
		s := m.statistic(order[:k], sum)
		byChance += s
		if s >= observed*(1-1e-9) {
			exceeding++
		}
		shuffles++
	}
	if exceeding == enoughExceeding {
		t.PValue = float64(exceeding) / float64(shuffles)
	} else {
		t.PValue = float64(exceeding+1) / float64(shuffles+1)
	}
	if observed > 0 {
		excess := max(0, 1-byChance/float64(shuffles)/observed)
		t.Effect = distanceEffect(t.Divergence * excess)
	}
	return analysis.Some(t)
}

// statistic compares the mean shares of the chosen rows with those of all
// others, and leaves the sums of the chosen in sum.
func (m *mixture) statistic(chosen []int, sum []float64) float64 {
	clear(sum)
	for _, i := range chosen {
		for _, c := range m.rows[i] {
			sum[c.name] += c.share
		}
	}
	k, rest := float64(len(chosen)), float64(len(m.rows)-len(chosen))
	d := 0.0
	for i, total := range m.totals {
		p, q := sum[i]/k, (total-sum[i])/rest
		if p+q > 0 {
			d += (p - q) * (p - q) / (p + q)
		}
	}
	return d
}

// divergence returns the Jensen-Shannon divergence, in bits, of the mean shares
// of k rows with the given sums and of the other rows.
func (m *mixture) divergence(sum []float64, k int) float64 {
	p, q := make([]float64, len(sum)), make([]float64, len(sum))
	for i := range sum {
		p[i] = sum[i] / float64(k)
		q[i] = max(0, m.totals[i]-sum[i]) / float64(len(m.rows)-k)
	}
	return min(1, max(0, stat.JensenShannon(p, q)/math.Ln2))
}

// distanceEffect turns a divergence in bits into standard deviations. Its root,
// the Jensen-Shannon distance, is near Cohen's w of a table of two rows (both
// are 0 for like and 1 for disjoint rows, and they differ by less than a fifth
// between); d = 2w/sqrt(1-w^2) (Cohen, 1988). It is cut at 10, as the
// original cuts its effects.
func distanceEffect(bits float64) float64 {
	if bits >= 1 {
		return 10
	}
	return min(10, 2*math.Sqrt(bits)/math.Sqrt(1-bits))
}
