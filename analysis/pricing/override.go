package pricing

import (
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Override is the price of one model, in USD per million tokens, in place of
// all the table says about it or beside the table. In the names, case does not
// count.
type Override struct {
	// Provider is named as in a Query; empty = at any provider.
	Provider string `mapstructure:"provider" json:"provider,omitempty"`
	// Model is the name that spans carry, or the table's id, which stands for
	// all names that mean it. "model:batch" is the price in service tier batch.
	Model string `mapstructure:"model" json:"model"`
	// InputMtok is the price of input; required.
	InputMtok *float64 `mapstructure:"input_mtok" json:"input_mtok"`
	// OutputMtok is the price of output; absent = output is free, as with
	// embeddings.
	OutputMtok *float64 `mapstructure:"output_mtok" json:"output_mtok,omitempty"`
	// CacheReadMtok and CacheWriteMtok are the prices of input read from or
	// written to a cache; absent = as other input.
	CacheReadMtok  *float64 `mapstructure:"cache_read_mtok" json:"cache_read_mtok,omitempty"`
	CacheWriteMtok *float64 `mapstructure:"cache_write_mtok" json:"cache_write_mtok,omitempty"`
}

// overrideKey is the id of a provider, or a lower-cased name when the table
// does not know it, and a lower-cased model.
type overrideKey struct{ provider, model string }

// With returns the table with prices of the user's own over it; t stays as it
// is. The error is an *analysis.FieldError that names the override and field.
func (t *Table) With(overrides ...Override) (*Table, error) {
	out := &Table{
		version: t.version, providers: t.providers, byName: t.byName,
		overrides: make(map[overrideKey]*model, len(t.overrides)+len(overrides)),
	}
	for k, m := range t.overrides {
		out.overrides[k] = m
	}
	seen := make(map[overrideKey]bool, len(overrides))
	for i, o := range overrides {
		set, err := o.set()
		if err != nil {
			err.Field = fmt.Sprintf("overrides[%d].%s", i, err.Field)
			return nil, err
		}
		k := overrideKey{normalize(o.Provider), normalize(o.Model)}
		if p := t.provider(k.provider); p != nil {
			k.provider = p.id
		}
		if seen[k] {
			return nil, &analysis.FieldError{
				Field: fmt.Sprintf("overrides[%d].model", i), Value: fmt.Sprintf("%q again", o.Model),
				Want: "one override a provider and model",
			}
		}
		seen[k] = true
		out.overrides[k] = &model{provider: k.provider, id: strings.TrimSpace(o.Model), prices: []conditional{{set: set}}}
	}
	const mark = "+overrides"
	if len(out.overrides) > 0 && !strings.HasSuffix(out.version, mark) {
		out.version += mark
	}
	return out, nil
}

// override returns the price that was put over a provider's model.
func (t *Table) override(provider, name string) *model {
	if m := t.overrides[overrideKey{provider, name}]; m != nil {
		return m
	}
	m := t.overrides[overrideKey{"", name}]
	if m == nil || provider == "" {
		return m
	}
	return &model{provider: provider, id: m.id, prices: m.prices}
}

func (o *Override) set() (priceSet, *analysis.FieldError) {
	if normalize(o.Model) == "" {
		return priceSet{}, &analysis.FieldError{Field: "model", Value: fmt.Sprintf("%q", o.Model), Want: "the name of a model"}
	}
	if o.InputMtok == nil {
		return priceSet{}, &analysis.FieldError{Field: "input_mtok", Value: "absent", Want: "a price in USD per million tokens; 0 is free"}
	}
	var s priceSet
	for _, part := range [...]struct {
		field string
		in    *float64
		out   **price
	}{
		{"input_mtok", o.InputMtok, &s.input},
		{"output_mtok", o.OutputMtok, &s.output},
		{"cache_read_mtok", o.CacheReadMtok, &s.cacheRead},
		{"cache_write_mtok", o.CacheWriteMtok, &s.cacheWrite},
	} {
		if part.in == nil {
			continue
		}
		if err := checkPrice(part.field, *part.in); err != nil {
			return priceSet{}, err
		}
		*part.out = &price{base: *part.in}
	}
	return s, nil
}
