package pricing

import (
	"iter"
	"strings"
)

// provider is a provider of the table with its models.
type provider struct {
	id string
	// matchesID and matchesModel are nil where the table has no such rule.
	matchesID, matchesModel matcher
	fallback                []string
	rules                   rules
	models                  []*model
}

// lookup returns the prices for what a span says, nil when there are none.
func (t *Table) lookup(k cacheKey) *model {
	if m, ok := t.cache.get(k); ok {
		return m
	}
	providerName, name, tier := normalize(k.provider), normalize(k.model), normalize(k.serviceTier)
	m := t.resolve(providerName, name)
	if !pricedAsStandard(tier) && !strings.HasSuffix(name, ":"+tier) {
		standard := m
		// A rule such as starts_with also fits the name with the tier behind it;
		// that says nothing about the tier.
		if m = t.resolve(providerName, name+":"+tier); m != nil && standard != nil && m.id == standard.id {
			m = nil
		}
	}
	t.cache.put(k, m)
	return m
}

// resolve finds the prices for a provider and model in lower case. The rules
// of genai-prices come first, so that what it can price is priced as it does.
func (t *Table) resolve(providerName, name string) *model {
	if providerName == litellm {
		if vendor, rest, ok := strings.Cut(name, "/"); ok && vendor != "" && rest != "" && t.provider(vendor) != nil {
			providerName, name = vendor, rest
		}
	}
	named := providerName != "" && providerName != litellm
	var p *provider
	if named {
		p = t.provider(providerName)
	} else {
		p = t.providerOf(name)
	}
	if p == nil {
		return t.override(providerName, name)
	}
	if m := t.override(p.id, name); m != nil {
		return m
	}
	m := t.modelOf(p, name)
	if m == nil && named {
		m = t.modelInForms(p, name)
	}
	if m == nil {
		return nil
	}
	if o := t.override(p.id, normalize(m.id)); o != nil {
		return o
	}
	return m
}

// modelInForms finds a model by the other forms of its name.
func (t *Table) modelInForms(p *provider, name string) *model {
	for form := range t.forms(p, name) {
		if o := t.override(p.id, form); o != nil {
			return o
		}
		if m := t.modelOf(p, form); m != nil {
			return m
		}
	}
	return nil
}

// forms yields what else a name may be, nearest first: without the path or
// vendor before it, then without the version behind it. A vendor goes only
// where it is the provider itself or one whose models the provider serves.
func (t *Table) forms(p *provider, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			short := withoutPath(name)
			if short == name {
				vendor, rest, ok := strings.Cut(name, "/")
				if !ok || !t.serves(p, vendor) {
					break
				}
				short = rest
			}
			name = short
			if !yield(name) {
				return
			}
		}
		if short, ok := withoutVersion(name); ok {
			yield(short)
		}
	}
}

// serves reports whether a provider is the vendor or sells the vendor's models.
func (t *Table) serves(p *provider, vendor string) bool {
	v := t.provider(vendor)
	if v == nil {
		return false
	}
	if v == p {
		return true
	}
	for _, id := range p.fallback {
		if v.id == id {
			return true
		}
	}
	return false
}

// provider returns the provider of a lower-cased name: by id, alias or the
// table's provider_match.
func (t *Table) provider(name string) *provider {
	for head := name; ; {
		if p := t.byName[head]; p != nil {
			return p
		}
		i := strings.LastIndexByte(head, '.')
		if i < 0 {
			break
		}
		head = head[:i]
	}
	for _, p := range t.providers {
		if p.matchesID != nil && p.matchesID(name) {
			return p
		}
	}
	return nil
}

// providerOf returns the first provider whose model_match a name fits.
func (t *Table) providerOf(model string) *provider {
	for _, p := range t.providers {
		if p.matchesModel != nil && p.matchesModel(model) {
			return p
		}
	}
	return nil
}

// modelOf returns the model that a name means at a provider: the name as it is,
// then with its date spelled out.
func (t *Table) modelOf(p *provider, name string) *model {
	if m := t.modelAt(p, name); m != nil {
		return m
	}
	if spelled := spellDates(name); spelled != name {
		return t.modelAt(p, spelled)
	}
	return nil
}

func (t *Table) modelAt(p *provider, name string) *model {
	if i, ok := p.rules.find(name); ok {
		return p.models[i]
	}
	for _, id := range p.fallback {
		if f := t.byID(id); f != nil {
			if i, ok := f.rules.find(name); ok {
				return f.models[i]
			}
		}
	}
	return nil
}

func (t *Table) byID(id string) *provider {
	for _, p := range t.providers {
		if p.id == id {
			return p
		}
	}
	return nil
}

func normalize(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
