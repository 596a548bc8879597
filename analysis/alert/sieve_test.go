package alert

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A sieve stops at the places where looking at each byte does, from wherever it
// begins.
func TestSieveFindsWhatIsThere(t *testing.T) {
	found, wrong := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var set byteSet
		for _, b := range rapid.SliceOfN(rapid.SampledFrom([]byte("0379-az ")), 1, 3).Draw(t, "set") {
			set.add(b)
		}
		beside := make([]byteSet, rapid.IntRange(1, maxPlaces).Draw(t, "distance"))
		beside[len(beside)-1] = set
		s, distance := newSieve([]byte("-"), nil, beside), len(beside)
		if rapid.Bool().Draw(t, "left") {
			s, distance = newSieve([]byte("-"), beside, nil), -len(beside)
		}
		require.Equal(t, distance, s.distance)
		b := rapid.SliceOfN(rapid.SampledFrom([]byte("-\xff0-z\xad.379a  \x00")), 1, 200).Draw(t, "text")
		at := -1
		for from := range b {
			// A need at a place that has no room for the other byte is none.
			if there := from + distance; b[from] == '-' && there >= 0 && there < len(b) && b[there]&byte(s.mask) == byte(s.want) {
				for ; at < from; at++ {
					require.Equal(t, from, s.next(b, at+1), "from %d", at+1)
				}
				found++
			} else if b[from] == '-' && there >= 0 && there < len(b) {
				require.False(t, set.contains(b[there]))
				wrong++
			}
		}
		require.Equal(t, -1, s.next(b, at+1))
	})
	require.Positive(t, found)
	require.Positive(t, wrong)
}

// One need is found at each place of a text that has nothing like it, from
// wherever the sieve begins.
func TestSieveFindsTheOnlyOne(t *testing.T) {
	var digit byteSet
	digit.add('7')
	s := newSieve([]byte("-"), nil, []byteSet{digit})
	for _, size := range []int{2, 8, 9, 64, 65, 66, 150} {
		for at := range size - 1 {
			b := []byte(strings.Repeat("z", size))
			b[at], b[at+1] = '-', '7'
			for from := range at + 1 {
				require.Equal(t, at, s.next(b, from))
			}
			require.Equal(t, -1, s.next(b, at+1))
		}
	}
}

// What differs from the need in its lowest bit is none, not behind one either that
// was looked at before.
func TestSieveDoesNotBorrow(t *testing.T) {
	var other, digit byteSet
	digit.add('7')
	s := newSieve([]byte("-"), nil, []byteSet{other, digit})
	for size := range 80 {
		b := []byte(strings.Repeat("z", size) + "-,77")
		require.Equal(t, size, s.next(b, 0))
		require.Equal(t, -1, s.next(b, size+1))
	}
}

// A match is found wherever it is in a text that is full of what begins like
// one, and of needs.
func TestPatternFindsTheMatchAmongNearOnes(t *testing.T) {
	p, err := compilePattern(patternSamples[0])
	require.NoError(t, err)
	require.NotNil(t, p.sieve)
	for _, filler := range []string{"2026-05-14 ", "a-b", "-", "12-34 ", "no need in this one, which is long enough not to be sieved; "} {
		text := strings.Repeat(filler, 200/len(filler))
		for at := range len(text) {
			with := text[:at] + " 123-45-6789 " + text[at:]
			require.True(t, p.Match([]byte(with)), with)
			without := text[:at] + " 123-45-678 9" + text[at:]
			require.False(t, p.Match([]byte(without)), without)
		}
	}
}

func TestSieveOnlyWhereItHelps(t *testing.T) {
	for expr, distance := range map[string]int{`\d{3}-\d{2}-\d{4}`: 7, `\d{4}-\d`: -4, `-`: 0, `a--b`: 0, `\d+`: 0} {
		p, err := compilePattern(expr)
		require.NoError(t, err)
		if distance == 0 {
			require.Nil(t, p.sieve, expr)
		} else {
			require.Equal(t, distance, p.sieve.distance, expr)
		}
	}
}
