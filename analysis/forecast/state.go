package forecast

import (
	"encoding/json"
	"fmt"

	"github.com/agentlens/agentlens-otel/analysis"
)

// stateVersion is written into every snapshot; another version is refused.
const stateVersion = 1

// state is the JSON of a Forecaster.
type state struct {
	Version int        `json:"version"`
	Days    []dayState `json:"days"`
}

type dayState struct {
	Date   Date         `json:"date"`
	Models []modelState `json:"models,omitempty"`
	Other  *usageState  `json:"other,omitempty"`
}

type modelState struct {
	Name string `json:"model"`
	usageState
}

type usageState struct {
	Records   int64        `json:"records"`
	TokensIn  int64        `json:"tokens_in"`
	TokensOut int64        `json:"tokens_out"`
	Cost      analysis.Sum `json:"cost_usd"`
}

// MarshalJSON writes the aggregates, exactly, with a version. Options are not
// part of it. Two Forecasters that were given the same records in any order
// write the same bytes.
func (f *Forecaster) MarshalJSON() ([]byte, error) {
	s := state{Version: stateVersion, Days: make([]dayState, len(f.days))}
	for i := range f.days {
		d := &f.days[i]
		ds := dayState{Date: d.date, Models: make([]modelState, len(d.models))}
		for j := range d.models {
			ds.Models[j] = modelState{d.models[j].name, d.models[j].state()}
		}
		if d.other.records > 0 {
			other := d.other.state()
			ds.Other = &other
		}
		s.Days[i] = ds
	}
	return json.Marshal(s)
}

// UnmarshalJSON replaces what f holds by what MarshalJSON wrote; f keeps its
// options, so make it with New. It fails, changing nothing, when the version is
// unknown or the content is not one that a Forecaster writes.
func (f *Forecaster) UnmarshalJSON(b []byte) error {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("forecast state: %w", err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("forecast state: %w", &analysis.FieldError{Field: "version", Value: s.Version, Want: "1"})
	}
	// A zero Forecaster is what json.Unmarshal makes of a nil pointer.
	history := f.history
	if history == 0 {
		history = DefaultHistory
	}
	loaded := Forecaster{history: history, observedOnly: f.observedOnly, now: f.now}
	for i := range s.Days {
		if err := loaded.load(&s.Days[i]); err != nil {
			return fmt.Errorf("forecast state: day %s: %w", s.Days[i].Date, err)
		}
	}
	*f = loaded
	return nil
}

// load appends a day, which must be later than those already loaded.
func (f *Forecaster) load(ds *dayState) error {
	if len(f.days) > 0 && ds.Date <= f.newest() {
		return &analysis.FieldError{Field: "date", Value: ds.Date, Want: "later than " + f.newest().String()}
	}
	if len(ds.Models) > maxModels {
		return &analysis.FieldError{Field: "models", Value: len(ds.Models), Want: fmt.Sprintf("at most %d", maxModels)}
	}
	d := day{date: ds.Date, models: make([]modelUse, len(ds.Models))}
	for j := range ds.Models {
		m := &ds.Models[j]
		if j > 0 && m.Name <= ds.Models[j-1].Name {
			return &analysis.FieldError{Field: "model", Value: m.Name, Want: "names in order, each once"}
		}
		u, err := m.usage()
		if err != nil {
			return fmt.Errorf("model %q: %w", m.Name, err)
		}
		if err := d.usage.checkRoomFor(&u); err != nil {
			return err
		}
		d.models[j] = modelUse{m.Name, u}
		d.usage.merge(&u)
	}
	if ds.Other != nil {
		u, err := ds.Other.usage()
		if err != nil {
			return fmt.Errorf("other: %w", err)
		}
		if err := d.usage.checkRoomFor(&u); err != nil {
			return err
		}
		d.other = u
		d.usage.merge(&u)
	}
	if d.records == 0 {
		return &analysis.FieldError{Field: "records", Value: 0, Want: "1 or more"}
	}
	if err := f.total.checkRoomFor(&d.usage); err != nil {
		return err
	}
	f.place(ds.Date)
	f.days[f.hit] = d
	f.recount()
	return nil
}

func (u *usage) state() usageState {
	return usageState{Records: u.records, TokensIn: u.tokensIn, TokensOut: u.tokensOut, Cost: u.cost}
}

func (s *usageState) usage() (usage, error) {
	switch {
	case s.Records < 1 || s.Records > maxTotal:
		return usage{}, &analysis.FieldError{Field: "records", Value: s.Records, Want: "1 to 2^62"}
	case s.TokensIn < 0 || s.TokensIn > maxTotal:
		return usage{}, &analysis.FieldError{Field: "tokens_in", Value: s.TokensIn, Want: "0 to 2^62"}
	case s.TokensOut < 0 || s.TokensOut > maxTotal-s.TokensIn:
		return usage{}, &analysis.FieldError{Field: "tokens_out", Value: s.TokensOut, Want: "0 to 2^62, tokens_in included"}
	case s.Cost.Hi < 0 || s.Cost.Hi >= maxTotal:
		return usage{}, &analysis.FieldError{Field: "cost_usd", Value: s.Cost.Float64(), Want: "0 to 2^62"}
	}
	return usage{s.Records, s.TokensIn, s.TokensOut, s.Cost}, nil
}
