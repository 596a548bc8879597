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
	if m, ok := t.cache.get(&k); ok {
		return m
	}
	providerName, name, tier := normalize(k.provider), normalize(k.model), normalize(k.serviceTier)
	var m *model
	if pricedAsStandard(tier) {
		m = t.resolve(providerName, name)
	} else {
		m = t.resolveTier(providerName, strings.TrimSuffix(name, ":"+tier), tier)
	}
	t.cache.put(k, m)
	return m
}

// resolveTier finds the prices of a model in a service tier. A rule such as
// starts_with fits the name with any tier behind it, which says nothing about
// this one; so what fits a tier that does not exist does not count.
func (t *Table) resolveTier(providerName, name, tier string) *model {
	m := t.resolve(providerName, name+":"+tier)
	if m == nil {
		return nil
	}
	if other := t.resolve(providerName, name+":?"); other != nil && other.id == m.id {
		return nil
	}
	return m
}

// resolve finds the prices for a provider and model in lower case. The rules
// of genai-prices come first, so that what it can price is priced as it does.
func (t *Table) resolve(providerName, name string) *model {
	if isGateway(providerName) {
		vendor, rest, ok := strings.Cut(name, "/")
		if ok && vendor != "" && rest != "" && t.provider(vendor) != nil {
			providerName, name = vendor, rest
		}
	}
	named := providerName != "" && !isGateway(providerName)
	var p *provider
	if named {
		p = t.provider(providerName)
	} else {
		p = t.providerOf(name)
	}
	if p == nil {
		return t.override(providerName, name)
	}
	if m := t.modelOrOverride(p, name); m != nil {
		return m
	}
	for form := range t.forms(p, name, named) {
		if m := t.modelOrOverride(p, form); m != nil {
			return m
		}
	}
	if aws := t.byID("aws"); aws != nil && aws != p && named && isBedrockName(name) {
		return t.resolve(aws.id, name)
	}
	return nil
}

// modelOrOverride returns the price that a provider takes for a name.
func (t *Table) modelOrOverride(p *provider, name string) *model {
	if o := t.override(p.id, name); o != nil {
		return o
	}
	m := t.modelOf(p, name)
	if m == nil {
		return nil
	}
	if o := t.override(p.id, normalize(m.id)); o != nil {
		return o
	}
	return m
}

// forms yields what else a name may be, nearest first: without the path or
// vendor before it, then without the version behind it. A vendor goes only
// where it is the provider itself or one whose models the provider serves, and
// vendor and version only for a provider that was named.
func (t *Table) forms(p *provider, name string, named bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			short := withoutPath(name)
			if short == name && named {
				if vendor, rest, ok := strings.Cut(name, "/"); ok && t.serves(p, vendor) {
					short = rest
				}
			}
			if short == name {
				break
			}
			name = short
			if !yield(name) {
				return
			}
		}
		if short, ok := withoutVersion(name); ok && named {
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
				// It is p that bills the call, at the other's price.
				return &model{provider: p.id, id: f.models[i].id, prices: f.models[i].prices}
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
