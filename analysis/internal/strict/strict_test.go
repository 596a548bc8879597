package strict

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

type leaf struct {
	Kind  string   `mapstructure:"kind"`
	Limit *float64 `mapstructure:"limit"`
	Names []string `mapstructure:"names"`
	Inner []leaf   `mapstructure:"inner"`
	Any   any      `mapstructure:"any"`
}

type root struct {
	Name  string `mapstructure:"name"`
	Rules []leaf `mapstructure:"rules"`
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, json, yaml string
		field            string
		message          string
	}{
		{
			"unknown at the top", `{"nome":"x"}`, "nome: x",
			"nome", "nome is an unknown parameter, want one of name, rules",
		},
		{
			"unknown below", `{"rules":[{},{"limt":5}]}`, "rules: [{}, {limt: 5}]",
			"rules[1].limt", "rules[1].limt is an unknown parameter, want one of kind, limit, names, inner, any",
		},
		{
			"unknown further below", `{"rules":[{"inner":[{"x":5}]}]}`, "rules: [{inner: [{x: 5}]}]",
			"rules[0].inner[0].x", "",
		},
		{
			"case matters", `{"Name":"x"}`, "Name: x", "Name", "",
		},
		{
			"wrong type", `{"rules":[{},{},{"limit":"many"}]}`, "rules: [{}, {}, {limit: many}]",
			"rules[2].limit", `rules[2].limit is "many", want a number`,
		},
		{
			"a list where a string belongs", `{"name":["x"]}`, "name: [x]", "name", "",
		},
		{
			"a string where a list belongs", `{"rules":[{"names":"x"}]}`, "rules: [{names: x}]", "rules[0].names", "",
		},
		{
			"given twice", `{"rules":[{"kind":"a","kind":"b"}]}`, "",
			"rules[0].kind", "rules[0].kind is given twice, want one value",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := func(err error) {
				var fieldErr *analysis.FieldError
				require.ErrorAs(t, err, &fieldErr)
				assert.Equal(t, c.field, fieldErr.Field)
				if c.message != "" {
					assert.EqualError(t, err, c.message)
				}
			}
			check(JSON([]byte(c.json), new(root)))
			if c.yaml != "" {
				check(YAML([]byte(c.yaml), new(root)))
			}
		})
	}
	deep := `{"rules":` + strings.Repeat("[", 100_000)
	assert.ErrorContains(t, JSON([]byte(deep), new(root)), "nested deeper, want at most 100 levels")
	deep = `{"rules":` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + "}"
	assert.ErrorContains(t, YAML([]byte(deep), new(root)), "nested deeper, want at most 100 levels")
	assert.EqualError(t, YAML([]byte("rules: [{}, {7: x}]"), new(root)), "rules[1].7 is not a string, want a parameter's name")
	assert.Error(t, YAML([]byte("name: a\nname: b"), new(root)), "given twice")
	assert.Error(t, YAML([]byte("name: a\n---\nname: b"), new(root)))
	assert.Error(t, JSON([]byte(`{"name":"a"} {}`), new(root)))
	assert.Error(t, JSON([]byte(`{"name":`), new(root)))
	assert.Error(t, YAML([]byte("- a"), new(root)))
	assert.Error(t, JSON([]byte(`"a"`), new(root)))
}

func TestEveryMistakeIsTold(t *testing.T) {
	err := JSON([]byte(`{"name":1,"rules":[{"limit":true},{"x":1}]}`), new(root))
	var fields []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var fieldErr *analysis.FieldError
		require.True(t, errors.As(e, &fieldErr), "%v", e)
		fields = append(fields, fieldErr.Field)
	}
	assert.ElementsMatch(t, []string{"name", "rules[0].limit", "rules[1].x"}, fields)
}

func TestAccepted(t *testing.T) {
	five := 5.0
	want := root{Name: "n", Rules: []leaf{{Kind: "k", Limit: &five, Names: []string{}}, {Any: true}}}
	var fromJSON, fromYAML root
	require.NoError(t, JSON([]byte(`{"name":"n","rules":[{"kind":"k","limit":5,"names":[]},{"any":true}]}`), &fromJSON))
	require.NoError(t, YAML([]byte("name: n\nrules:\n- {kind: k, limit: 5, names: []}\n- any: true"), &fromYAML))
	assert.Equal(t, want, fromJSON)
	assert.Equal(t, want, fromYAML)
	require.NoError(t, YAML(nil, new(root)))
}
