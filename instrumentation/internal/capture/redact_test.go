package capture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// drawText is text full of what is a secret, nearly is one, or ends one.
func drawText(t *rapid.T) string {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"a@b.co", "x.y+z@mail.example.org", "@", "a@b", "sk-0123456789abcdef", "sk-", "ghp_0123456789abcdefghij", "xoxb-0123456789", "AKIA0123456789ABCDEF",
			"eyJhbGciOiJ.eyJzdWIi.", "eyJ", ".eyJ12345678.12345678.", "4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "123-45-6789", "4111111111111111x", "123-45-6789x",
			"000-45-6789", "12", "7 ", "-", "_", ".", " ", "\n", "ü", "ſ", "\u212a", "a", "\xff", "\"", "Bearer ", "night ", "hf_01234567890123456789",
		}),
		rapid.StringMatching(`[0-9 -]{0,30}`), rapid.StringMatching(`[A-Za-z0-9_.@%+-]{0,30}`), rapid.StringN(0, 5, 20),
	)
	return strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
}

// Looking only where a pattern can match finds what the pattern finds.
func TestRunsHoldAllMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawText(t)
		for i := range secrets {
			p := &secrets[i]
			want := s
			if p.could(s) {
				want = p.pattern.ReplaceAllStringFunc(s, p.replacement)
			}
			assert.Equal(t, want, p.redact(s), "%s in %q", p.kind, s)
		}
	})
}

// BenchmarkRedactSecrets is the text of an answer of 20 kB: without a secret,
// and with one of each kind here and there.
func BenchmarkRedactSecrets(b *testing.B) {
	const prose = "At night it has 3 degrees in Zürich, says the well-known forecast_of_2026-11-22; the high is 12.5 °C, and 555-0100 is its number. "
	plain := strings.Repeat(prose, 20<<10/len(prose))
	secret := strings.Repeat(prose, 20) + "me@example.org 123-45-6789 4111 1111 1111 1111 sk-0123456789abcdefghij "
	for name, text := range map[string]string{"plain": plain, "secrets": strings.Repeat(secret, 20<<10/len(secret))} {
		b.Run(fmt.Sprintf("%s of %d bytes", name, len(text)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := RedactSecrets(Content{Key: "content", Text: text}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
