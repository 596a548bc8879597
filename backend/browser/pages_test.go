package browser

import (
	"encoding/json"
	"net/http"

	"github.com/stretchr/testify/require"
)

// demoPages are the pages with the demo's data on them, by name.
func demoPages(s *site) map[string]string {
	s.t.Helper()
	ids := func(query string) (out []string) {
		res, err := http.Get(s.url + "/sessions?" + query)
		require.NoError(s.t, err)
		defer res.Body.Close()
		var list struct {
			Sessions []struct {
				ID string `json:"session_id"`
			} `json:"sessions"`
		}
		require.NoError(s.t, json.NewDecoder(res.Body).Decode(&list))
		for _, sess := range list.Sessions {
			out = append(out, sess.ID)
		}
		require.NotEmpty(s.t, out, query)
		return out
	}
	failed := ids("tag=compliance:fail&sort=events")
	research := ids("agent=research-agent&status=completed")
	return map[string]string{
		"overview": "/", "sessions": "/ui/sessions", "session": "/ui/sessions/" + failed[0],
		"agents": "/ui/agents", "agent": "/ui/agents/research-agent", "reviewer": "/ui/agents/code-reviewer?policy=strict",
		"compare":          "/ui/compare?a=" + research[len(research)-1] + "&b=" + research[0],
		"compare-versions": "/ui/compare?agent=research-agent&baseline_version=2.1.0&current_version=2.2.0",
		"alerts":           "/ui/alerts",
	}
}
