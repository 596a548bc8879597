package backend

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is wrong with a copy costs neither an event nor another copy, and is said.
func TestDecodeCopies(t *testing.T) {
	const part = `{"event_type":"llm_call","session_id":"s","event_id":"l","agentlens_part_of":["own"]}`
	for name, c := range map[string]struct {
		copies  string
		want    []string
		reasons []string
	}{
		"one":               {`[` + part + `]`, []string{"l"}, nil},
		"no list":           {`{"a":[1]}`, nil, nil},
		"null":              {`null`, nil, nil},
		"part of nothing":   {`[{"event_type":"llm_call","session_id":"s","event_id":"x"},` + part + `]`, []string{"l"}, []string{`"x" is said to be part of none`}},
		"part of itself":    {`[{"event_type":"llm_call","session_id":"s","event_id":"x","agentlens_part_of":["x"]}]`, nil, []string{"part of none"}},
		"a bad id":          {`[{"event_type":"llm_call","session_id":"s","event_id":"x","agentlens_part_of":["own","a b"]}]`, []string{"x"}, []string{`copies[0]: dropped: agentlens_part_of`}},
		"a session's end":   {`[{"event_type":"session_end","session_id":"s","agentlens_part_of":["own"]}]`, nil, []string{"part of none"}},
		"no session":        {`[{"event_type":"llm_call","event_id":"x","agentlens_part_of":["own"]}]`, nil, []string{"copies[0] skipped"}},
		"too many ids":      {`[{"event_type":"llm_call","session_id":"s","event_id":"x","agentlens_part_of":["own"` + strings.Repeat(`,"y"`, 64) + `]}]`, []string{"x"}, []string{"64 at most"}},
		"more than a batch": {`[` + strings.Repeat(part+",", 500) + part + `]`, strings.Split(strings.Repeat("l", 500), ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := decodeBatch([]byte(`{"copies":` + c.copies + `,"events":[{"event_type":"llm_call","session_id":"s","event_id":"own"}]}`))
			require.NoError(t, err)
			require.Len(t, b.events, 1)
			require.Equal(t, 1, b.entries)
			require.Zero(t, b.skipped, "the answer counts events")
			var got []string
			for i := range b.copies {
				got = append(got, b.copies[i].EventID)
				require.LessOrEqual(t, len(b.copies[i].PartOf), 64)
			}
			require.Equal(t, c.want, got)
			require.Len(t, b.reasons, len(c.reasons))
			require.Equal(t, strings.Count(strings.Join(b.reasons, " "), "dropped"), b.truncated)
			for i := range c.reasons {
				require.Contains(t, b.reasons[i], c.reasons[i])
			}
		})
	}
}
