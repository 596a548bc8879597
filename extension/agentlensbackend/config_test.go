package agentlensbackend

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func load(t *testing.T, keys map[string]any) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(keys).Unmarshal(cfg))
	return cfg
}

func TestDefaultConfig(t *testing.T) {
	cfg := load(t, nil)
	require.NoError(t, confmap.Validate(cfg))
	require.Equal(t, "localhost:3000", cfg.ServerConfig.NetAddr.Endpoint)
	require.Equal(t, "./.agentlens", cfg.Directory)
	require.Empty(t, cfg.APIKey)
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name string
		keys map[string]any
		want string // part of the error; empty = valid
	}{
		{"loopback address", map[string]any{"endpoint": "127.0.0.1:3000"}, ""},
		{"loopback IPv6", map[string]any{"endpoint": "[::1]:3000"}, ""},
		{"all addresses", map[string]any{"endpoint": "0.0.0.0:3000"}, "api_key"},
		{"all addresses, short", map[string]any{"endpoint": ":3000"}, "api_key"},
		{"all IPv6 addresses", map[string]any{"endpoint": "[::]:3000"}, "api_key"},
		{"a name", map[string]any{"endpoint": "collector:3000"}, "api_key"},
		{"all addresses with a key", map[string]any{"endpoint": "0.0.0.0:3000", "api_key": "k"}, ""},
		{"all addresses with an authenticator", map[string]any{"endpoint": "0.0.0.0:3000", "auth": map[string]any{"authenticator": "basicauth"}}, ""},
		{"all addresses by will", map[string]any{"endpoint": "0.0.0.0:3000", "allow_unauthenticated": true}, ""},
		{"unix socket", map[string]any{"endpoint": "/run/agentlens.sock", "transport": "unix"}, ""},
		{"no endpoint", map[string]any{"endpoint": ""}, "`endpoint` is empty"},
		{"no directory", map[string]any{"directory": ""}, "`directory` is empty"},
		{"hosts", map[string]any{"allowed_hosts": []string{"agentlens.example.com"}}, ""},
		{"host with a port", map[string]any{"allowed_hosts": []string{"agentlens.example.com:443"}}, "agentlens.example.com:443"},
		{"limits", map[string]any{"retention": map[string]any{"max_age": "720h", "max_size_mib": 500}, "budgets": []any{map[string]any{"name": "x", "limit_usd": 10}, map[string]any{"name": "y", "agent": "a", "limit_usd": 1, "period": "weekly"}}}, ""},
		{"age below 0", map[string]any{"retention": map[string]any{"max_age": "-1h"}}, "`retention::max_age` is -1h0m0s"},
		{"size below 0", map[string]any{"retention": map[string]any{"max_size_mib": -1}}, "`retention::max_size_mib` is -1"},
		{"size beyond", map[string]any{"retention": map[string]any{"max_size_mib": 1 << 40}}, "max_size_mib"},
		{"budget of nothing", map[string]any{"budgets": []any{map[string]any{"name": "x", "agent": "a"}}}, "`budgets::0::limit_usd` is 0"},
		{"yearly budget", map[string]any{"budgets": []any{map[string]any{"limit_usd": 1, "period": "yearly"}}}, `"yearly", want monthly or weekly`},
		{"budget without name", map[string]any{"budgets": []any{map[string]any{"limit_usd": 1}}}, "`budgets::0::name` is empty"},
		{"two budgets of one name", map[string]any{"budgets": []any{map[string]any{"name": "x", "limit_usd": 1}, map[string]any{"name": "x", "limit_usd": 2}}}, "`budgets::1::name`"},
		{"windows", map[string]any{"drift": map[string]any{"baseline_sessions": 60, "current_sessions": 20}}, ""},
		{"a window of one", map[string]any{"drift": map[string]any{"current_sessions": 1}}, "`drift::current_sessions` is 1, want 2 to 10000"},
		{"trace URL", map[string]any{"trace_url_template": "http://localhost:16686/trace/{trace_id}"}, ""},
		{"trace URL of a script", map[string]any{"trace_url_template": "javascript:alert({trace_id})"}, "`trace_url_template`"},
		{"any host", map[string]any{"allowed_hosts": []string{"*"}}, "allowed_hosts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := confmap.Validate(load(t, c.keys))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	conf := confmap.New()
	require.NoError(t, conf.Marshal(load(t, map[string]any{"api_key": "very-secret"})))
	require.NotContains(t, conf.ToStringMap()["api_key"], "very-secret")
}
