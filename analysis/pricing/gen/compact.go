package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"

	"github.com/agentlens/agentlens-otel/analysis/pricing"
)

// table is the data as far as package pricing reads it.
type table struct {
	Version   string     `json:"version"`
	Providers []provider `json:"providers"`
}

type provider struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	ProviderMatch  json.RawMessage `json:"provider_match,omitempty"`
	ModelMatch     json.RawMessage `json:"model_match,omitempty"`
	FallbackModels []string        `json:"fallback_model_providers,omitempty"`
	Models         []model         `json:"models"`
}

type model struct {
	ID     string          `json:"id"`
	Match  json.RawMessage `json:"match"`
	Prices json.RawMessage `json:"prices"`
}

type conditional struct {
	Constraint json.RawMessage `json:"constraint,omitempty"`
	Prices     json.RawMessage `json:"prices"`
}

// priced are the keys of a price set that bear on what package pricing counts.
var priced = []string{"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "requests_kcount"}

// compact leaves out of the data what says nothing about the price of tokens,
// and makes sure that the rest can be read.
func compact(data []byte) ([]byte, error) {
	var t table
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, err
	}
	for i := range t.Providers {
		for j := range t.Providers[i].Models {
			m := &t.Providers[i].Models[j]
			var err error
			if m.Prices, err = compactPrices(m.Prices); err != nil {
				return nil, fmt.Errorf("provider %q model %q: %w", t.Providers[i].ID, m.ID, err)
			}
		}
	}
	small, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	if _, err := pricing.Load(bytes.NewReader(small)); err != nil {
		return nil, err
	}
	return small, nil
}

func compactPrices(raw json.RawMessage) (json.RawMessage, error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		return compactSet(raw)
	}
	var list []conditional
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	for i := range list {
		var err error
		if list[i].Prices, err = compactSet(list[i].Prices); err != nil {
			return nil, err
		}
	}
	return json.Marshal(list)
}

func compactSet(raw json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	kept := make(map[string]json.RawMessage, len(priced))
	for _, k := range priced {
		if v, ok := all[k]; ok {
			kept[k] = v
		}
	}
	return json.Marshal(kept)
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
