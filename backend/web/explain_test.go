package web

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExplainedIsInert(t *testing.T) {
	got := string(explained("## Session Explanation: <script>alert(1)</script>\n**Status:** active\n\n### Event Timeline:\n" +
		"1. [10:30:01.234] **llm_call** (model: \"><img src=x onerror=alert(1)>)\n   💡 Reasoning: **<b>** & so on\n### <i>forged</i>"))
	require.Equal(t, `<h3>Session Explanation: &lt;script&gt;alert(1)&lt;/script&gt;</h3>
<p><strong>Status:</strong> active</p>
<h4>Event Timeline</h4>
<p class="entry">1. [10:30:01.234] <strong>llm_call</strong> (model: &#34;&gt;&lt;img src=x onerror=alert(1)&gt;)</p>
<p class="more">💡 Reasoning: <strong>&lt;b&gt;</strong> &amp; so on</p>
<h4>&lt;i&gt;forged&lt;/i&gt;</h4>
`, got)
}

func TestCompact(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1k", 1049: "1.05k", 12_345: "12.3k", 718_517: "719k", 999_600: "1M", 5_211_752: "5.21M", 43_000_000_000: "43B"} {
		require.Equal(t, want, compact(n))
	}
}
