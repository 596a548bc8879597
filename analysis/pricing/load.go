package pricing

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// Load reads a table from JSON: the list of providers that genai-prices
// publishes, or {"version": …, "providers": […]}, which the generator writes.
// Keys that say nothing about the price of tokens are passed over. The error
// names the provider and model at fault.
func Load(r io.Reader) (*Table, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read price table: %w", err)
	}
	var f fileJSON
	if raw = bytes.TrimSpace(raw); bytes.HasPrefix(raw, []byte("[")) {
		err = json.Unmarshal(raw, &f.Providers)
	} else {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read price table: %w", err)
	}
	if f.Version == "" {
		f.Version = fmt.Sprintf("sha256:%.6x", sha256.Sum256(raw))
	}
	t, err := f.table()
	if err != nil {
		return nil, fmt.Errorf("price table: %w", err)
	}
	return t, nil
}

type fileJSON struct {
	Version   string          `json:"version"`
	Providers []*providerJSON `json:"providers"`
}

type providerJSON struct {
	ID             string       `json:"id"`
	Name           string       `json:"name"`
	ProviderMatch  *matchJSON   `json:"provider_match"`
	ModelMatch     *matchJSON   `json:"model_match"`
	FallbackModels []string     `json:"fallback_model_providers"`
	Models         []*modelJSON `json:"models"`
}

type modelJSON struct {
	ID     string          `json:"id"`
	Match  *matchJSON      `json:"match"`
	Prices json.RawMessage `json:"prices"`
}

type conditionalJSON struct {
	Constraint *constraintJSON `json:"constraint"`
	Prices     json.RawMessage `json:"prices"`
}

type constraintJSON struct {
	Type      string `json:"type"`
	StartDate string `json:"start_date"`
	StartTime string `json:"start_time"`
	EndTime   string `json:"end_time"`
}

type priceSetJSON struct {
	Input         *priceJSON `json:"input_mtok"`
	Output        *priceJSON `json:"output_mtok"`
	CacheRead     *priceJSON `json:"cache_read_mtok"`
	CacheWrite    *priceJSON `json:"cache_write_mtok"`
	RequestKcount *priceJSON `json:"requests_kcount"`
}

// priceJSON is a number, or a base with tiers.
type priceJSON struct{ price }

func (p *priceJSON) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) {
		return json.Unmarshal(b, &p.base)
	}
	var tiered struct {
		Base  *float64 `json:"base"`
		Tiers []struct {
			Start *int64   `json:"start"`
			Price *float64 `json:"price"`
		} `json:"tiers"`
	}
	if err := json.Unmarshal(b, &tiered); err != nil {
		return err
	}
	if tiered.Base == nil {
		return errors.New("a tiered price has no base")
	}
	p.base = *tiered.Base
	for _, t := range tiered.Tiers {
		if t.Start == nil || t.Price == nil {
			return errors.New("a tier has no start or no price")
		}
		p.tiers = append(p.tiers, tier{*t.Start, *t.Price})
	}
	slices.SortStableFunc(p.tiers, func(a, b tier) int { return cmp.Compare(a.start, b.start) })
	return nil
}

func (f *fileJSON) table() (*Table, error) {
	if len(f.Providers) == 0 {
		return nil, &analysis.FieldError{Field: "providers", Value: "empty", Want: "at least one provider"}
	}
	t := &Table{version: f.Version, byName: make(map[string]*provider)}
	for i, in := range f.Providers {
		if in == nil || in.ID == "" {
			return nil, &analysis.FieldError{Field: fmt.Sprintf("providers[%d].id", i), Value: `""`, Want: "a name"}
		}
		p, err := in.provider()
		if err != nil {
			return nil, fmt.Errorf("provider %q: %w", in.ID, err)
		}
		t.providers = append(t.providers, p)
	}
	t.nameProviders(f.Providers)
	return t, nil
}

func (in *providerJSON) provider() (*provider, error) {
	p := &provider{id: in.ID, fallback: in.FallbackModels}
	var err error
	if in.ProviderMatch != nil {
		if p.matchesID, err = in.ProviderMatch.compile(); err != nil {
			return nil, fmt.Errorf("provider_match: %w", err)
		}
	}
	if in.ModelMatch != nil {
		if p.matchesModel, err = in.ModelMatch.compile(); err != nil {
			return nil, fmt.Errorf("model_match: %w", err)
		}
	}
	for i, m := range in.Models {
		if m == nil || m.ID == "" {
			return nil, &analysis.FieldError{Field: fmt.Sprintf("models[%d].id", i), Value: `""`, Want: "a name"}
		}
		if err := p.rules.add(i, m.Match); err != nil {
			return nil, fmt.Errorf("model %q: %w", m.ID, err)
		}
		prices, err := decodePrices(m.Prices)
		if err != nil {
			return nil, fmt.Errorf("model %q: %w", m.ID, err)
		}
		p.models = append(p.models, &model{provider: in.ID, id: m.ID, prices: prices})
	}
	return p, nil
}

// decodePrices reads one price set, or a list of conditional ones.
func decodePrices(raw json.RawMessage) ([]conditional, error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		set, err := decodeSet(raw)
		return []conditional{{set: set}}, err
	}
	var list []conditionalJSON
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	if len(list) == 0 {
		return nil, &analysis.FieldError{Field: "prices", Value: "[]", Want: "at least one price set"}
	}
	out := make([]conditional, len(list))
	for i, in := range list {
		var err error
		if out[i], err = in.Constraint.conditional(); err != nil {
			return nil, err
		}
		if out[i].set, err = decodeSet(in.Prices); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func decodeSet(raw json.RawMessage) (priceSet, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return priceSet{}, &analysis.FieldError{Field: "prices", Value: "absent", Want: "a price set, {} for a free model"}
	}
	var in priceSetJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return priceSet{}, fmt.Errorf("prices: %w", err)
	}
	var s priceSet
	for _, part := range [...]struct {
		key string
		in  *priceJSON
		out **price
	}{
		{"input_mtok", in.Input, &s.input},
		{"output_mtok", in.Output, &s.output},
		{"cache_read_mtok", in.CacheRead, &s.cacheRead},
		{"cache_write_mtok", in.CacheWrite, &s.cacheWrite},
		{"requests_kcount", in.RequestKcount, new(*price)},
	} {
		if part.in == nil {
			continue
		}
		if err := part.in.check(part.key); err != nil {
			return priceSet{}, err
		}
		*part.out = &part.in.price
	}
	if s.input == nil && (s.cacheRead != nil || s.cacheWrite != nil) {
		return priceSet{}, &analysis.FieldError{Field: "input_mtok", Value: "absent", Want: "a price, since the cache has one"}
	}
	if in.RequestKcount != nil {
		if len(in.RequestKcount.tiers) > 0 {
			return priceSet{}, &analysis.FieldError{Field: "requests_kcount", Value: "tiered", Want: "a number"}
		}
		s.requestKcount = in.RequestKcount.base
	}
	return s, nil
}

func (p *price) check(key string) error {
	if err := checkPrice(key, p.base); err != nil {
		return err
	}
	for i, t := range p.tiers {
		if t.start < 0 {
			return &analysis.FieldError{Field: fmt.Sprintf("%s.tiers[%d].start", key, i), Value: t.start, Want: "0 or more input tokens"}
		}
		if err := checkPrice(fmt.Sprintf("%s.tiers[%d].price", key, i), t.price); err != nil {
			return err
		}
	}
	return nil
}

func checkPrice(field string, usd float64) *analysis.FieldError {
	if !(usd >= 0) || math.IsInf(usd, 0) {
		return &analysis.FieldError{Field: field, Value: usd, Want: "a finite price in USD, 0 or more"}
	}
	return nil
}

func (c *constraintJSON) conditional() (conditional, error) {
	switch {
	case c == nil:
		return conditional{}, nil
	case c.StartDate != "" && (c.Type == "" || c.Type == "start_date"):
		day, err := time.Parse(time.DateOnly, c.StartDate)
		if err != nil {
			return conditional{}, &analysis.FieldError{Field: "constraint.start_date", Value: c.StartDate, Want: "a date such as 2026-01-31"}
		}
		return conditional{kind: sinceDate, start: day}, nil
	case c.StartTime != "" && (c.Type == "" || c.Type == "time_of_date"):
		from, err := parseTimeOfDay("constraint.start_time", c.StartTime)
		if err != nil {
			return conditional{}, err
		}
		to, err := parseTimeOfDay("constraint.end_time", c.EndTime)
		return conditional{kind: timeOfDay, from: from, to: to}, err
	}
	return conditional{}, &analysis.FieldError{Field: "constraint", Value: fmt.Sprintf("%+v", *c), Want: "start_date, or start_time and end_time"}
}

// parseTimeOfDay reads a time with its offset, "16:30:00Z", as time since
// midnight UTC.
func parseTimeOfDay(field, s string) (time.Duration, error) {
	t, err := time.Parse("15:04:05.999999999Z07:00", s)
	if err != nil || strings.Contains(s, ",") {
		return 0, &analysis.FieldError{Field: field, Value: s, Want: "a time such as 16:30:00Z"}
	}
	t = t.UTC()
	return t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)), nil
}
