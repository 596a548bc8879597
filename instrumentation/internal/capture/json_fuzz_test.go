package capture

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Redaction keeps JSON what it is but for the texts, and lets none pass unseen.
func FuzzRedactJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,{"b":null}],"a":true,"":"x"}`, `[]`, `"x"`, `1e400`, `{"x":{}}`, `[[],{}]`, `"\u0000\ud800"`, `nul`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) || strings.ContainsRune(s, '\uFFFD') {
			t.Skip()
		}
		same, err := RedactJSON([]byte(s), func(_, text string) (string, error) { return text, nil })
		if err != nil {
			return // JSON that encoding/json reads as no token, such as a nesting too deep
		}
		require.True(t, json.Valid(same), string(same))
		require.Equal(t, decoded(t, s), decoded(t, string(same)))
		hidden, err := RedactJSON([]byte(s), func(_, text string) (string, error) { return "_", nil })
		require.NoError(t, err)
		require.True(t, json.Valid(hidden))
		require.Empty(t, strings.Trim(string(hidden), `_"{}[],: truefalsn`), "only structure is left")
	})
}

func decoded(t *testing.T, s string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return v
}
