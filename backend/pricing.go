package backend

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/analysis/pricing"
	"github.com/agentlens/agentlens-otel/backend/store"
	"github.com/agentlens/agentlens-otel/internal/wire"
)

// prices is the table in force: the embedded one with the user's own prices
// over it.
type prices struct{ table atomic.Pointer[pricing.Table] }

// load reads the user's prices.
func (p *prices) load(ctx context.Context, st *store.Store) error {
	own, err := st.Prices(ctx)
	if err != nil {
		return err
	}
	overrides := make([]pricing.Override, len(own))
	for i := range own {
		overrides[i] = pricing.Override{Model: own[i].Model, InputMtok: &own[i].Input, OutputMtok: &own[i].Output}
	}
	table, err := pricing.Default().With(overrides...)
	if err != nil {
		return fmt.Errorf("the user's prices: %w", err)
	}
	p.table.Store(table)
	return nil
}

// complete prices the calls of a batch that did not come through a collector,
// which would have priced them: those of the original SDK.
func (p *prices) complete(batch []wire.Event) {
	for i := range batch {
		e := &batch[i]
		if e.CostUSD.OK || e.TraceID != "" || e.Model == "" || e.Type() != string(analysis.EventLLMCall) {
			continue
		}
		if cost, ok := p.table.Load().Cost(query(e.Provider, e.Model, e.Timestamp.Of(), e.TokensIn, e.TokensOut, e.CacheReadTokens, e.CacheWriteTokens)); ok {
			e.CostUSD = analysis.Some(cost.TotalUSD)
		}
	}
}

func query(provider, model string, at time.Time, in, out, read, write analysis.Opt[int64]) pricing.Query {
	return pricing.Query{
		Provider: provider, Model: model, At: at,
		Usage: pricing.Usage{InputTokens: in, OutputTokens: out, CacheReadTokens: read, CacheWriteTokens: write},
	}
}

// ownPrice is a price as GET and PUT /pricing have it, USD per million tokens.
type ownPrice struct {
	Input     *float64   `json:"input_cost_per_1m"`
	Output    *float64   `json:"output_cost_per_1m"`
	Currency  string     `json:"currency"`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// defaultPrice is what the table says of a model, USD per million tokens.
type defaultPrice struct {
	Input  float64 `json:"input"`
	Output float64 `json:"output"`
}

// priceList is the answer to GET /pricing.
type priceList struct {
	// Pricing are the user's own prices.
	Pricing map[string]ownPrice `json:"pricing"`
	// Defaults are the table's, of the models that the store knows.
	Defaults map[string]defaultPrice `json:"defaults"`
	// Version names the table.
	Version string `json:"version"`
}

func (s *Server) getPricing(w http.ResponseWriter, r *http.Request) {
	own, err := s.store.Prices(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	models, err := s.store.UsageByModel(r.Context(), store.Range{})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list := priceList{Pricing: map[string]ownPrice{}, Defaults: map[string]defaultPrice{}, Version: pricing.Default().Version()}
	for _, p := range own {
		list.Pricing[p.Model] = ownPrice{&p.Input, &p.Output, "USD", &p.UpdatedAt}
	}
	// A thousand tokens stay below every tier.
	const few = 1000
	for _, m := range models {
		in, okIn := pricing.Default().Cost(query("", m.Model, time.Time{}, analysis.Some[int64](few), analysis.Some[int64](0), analysis.Opt[int64]{}, analysis.Opt[int64]{}))
		out, okOut := pricing.Default().Cost(query("", m.Model, time.Time{}, analysis.Some[int64](0), analysis.Some[int64](few), analysis.Opt[int64]{}, analysis.Opt[int64]{}))
		if m.Model != "" && okIn && okOut {
			list.Defaults[m.Model] = defaultPrice{micro(in.InputUSD * 1e6 / few), micro(out.OutputUSD * 1e6 / few)}
		}
	}
	s.answer(w, http.StatusOK, list)
}

// putPricing stores prices of the user's own. They are for calls that arrive
// from now on, and for GET /pricing/costs; what is stored keeps its cost.
func (s *Server) putPricing(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Pricing map[string]ownPrice `json:"pricing"`
	}
	if !s.readFinding(w, r, &in) {
		return
	}
	if len(in.Pricing) == 0 {
		refuse(w, http.StatusBadRequest, "Missing 'pricing' object in request body")
		return
	}
	list := make([]store.Price, 0, len(in.Pricing))
	for _, model := range slices.Sorted(maps.Keys(in.Pricing)) {
		p := in.Pricing[model]
		if err := checkPrice(model, p); err != nil {
			s.fail(w, r, err)
			return
		}
		list = append(list, store.Price{Model: model, Input: *p.Input, Output: *p.Output})
	}
	err := s.store.SetPrices(r.Context(), list)
	if err == nil {
		err = s.prices.load(r.Context(), s.store)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"status": "ok", "updated": len(list)})
}

func checkPrice(model string, p ownPrice) error {
	if model == "" || len(model) > wire.MaxModelChars {
		return &analysis.FieldError{Field: "pricing", Value: short(model), Want: fmt.Sprintf("model names of 1 to %d bytes", wire.MaxModelChars)}
	}
	for field, v := range map[string]*float64{"input_cost_per_1m": p.Input, "output_cost_per_1m": p.Output} {
		if v == nil || !(*v >= 0) || math.IsInf(*v, 0) {
			return &analysis.FieldError{Field: "pricing." + model + "." + field, Value: number64(v), Want: "a number, 0 or more (USD per million tokens)"}
		}
	}
	if p.Currency != "" && p.Currency != "USD" {
		return &analysis.FieldError{Field: "pricing." + model + ".currency", Value: short(p.Currency), Want: "USD"}
	}
	return nil
}

func number64(v *float64) any {
	if v == nil {
		return "missing"
	}
	return *v
}

func (s *Server) deletePricing(w http.ResponseWriter, r *http.Request) {
	model := r.PathValue("model")
	there, err := s.store.RemovePrice(r.Context(), model)
	if err == nil && there {
		err = s.prices.load(r.Context(), s.store)
	}
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !there:
		refuse(w, http.StatusNotFound, fmt.Sprintf("Pricing for '%s' not found", model))
	default:
		s.answer(w, http.StatusOK, map[string]string{"status": "ok", "deleted": model})
	}
}

// sessionCosts is the answer to GET /pricing/costs/{id}.
type sessionCosts struct {
	SessionID string  `json:"session_id"`
	AgentName string  `json:"agent_name"`
	Currency  string  `json:"currency"`
	TotalUSD  float64 `json:"total_cost"`
	InputUSD  float64 `json:"total_input_cost"`
	OutputUSD float64 `json:"total_output_cost"`
	// RecordedUSD is what the session's events were stored with, which is the
	// cost that lists and charts show.
	RecordedUSD analysis.Opt[float64]         `json:"recorded_cost_usd"`
	ByModel     map[string]*sessionModelCosts `json:"model_costs"`
	ByEvent     []eventCosts                  `json:"event_costs"`
	Unmatched   []string                      `json:"unmatched_models"`
	Version     string                        `json:"pricing_version"`
}

type sessionModelCosts struct {
	Calls     int64   `json:"calls"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	InputUSD  float64 `json:"input_cost"`
	OutputUSD float64 `json:"output_cost"`
	TotalUSD  float64 `json:"total_cost"`
	Matched   bool    `json:"matched"`
}

// eventCosts is what one call costs; 0 when its model has no price.
type eventCosts struct {
	EventID   string    `json:"event_id"`
	EventType string    `json:"event_type"`
	Model     string    `json:"model"`
	TokensIn  int64     `json:"tokens_in"`
	TokensOut int64     `json:"tokens_out"`
	InputUSD  float64   `json:"input_cost"`
	OutputUSD float64   `json:"output_cost"`
	TotalUSD  float64   `json:"total_cost"`
	Timestamp time.Time `json:"timestamp"`
	Matched   bool      `json:"pricing_matched"`
}

// getSessionCosts prices a session's calls by the prices in force.
func (s *Server) getSessionCosts(w http.ResponseWriter, r *http.Request) {
	sess, err := s.store.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	table := s.prices.table.Load()
	out := sessionCosts{
		SessionID: sess.ID, AgentName: sess.AgentName, Currency: "USD", RecordedUSD: sess.CostUSD,
		ByModel: map[string]*sessionModelCosts{}, ByEvent: []eventCosts{}, Unmatched: []string{}, Version: table.Version(),
	}
	err = s.store.EachCall(r.Context(), sess.ID, func(c *store.Call) {
		m := out.ByModel[c.Model]
		if m == nil {
			m = &sessionModelCosts{}
			out.ByModel[c.Model] = m
		}
		m.Calls++
		m.TokensIn += c.TokensIn.Or(0)
		m.TokensOut += c.TokensOut.Or(0)
		cost, ok := table.Cost(query(c.Provider, c.Model, c.At, c.TokensIn, c.TokensOut, c.CacheReadTokens, c.CacheWriteTokens))
		out.ByEvent = append(out.ByEvent, eventCosts{
			EventID: c.EventID, EventType: c.EventType, Model: c.Model, TokensIn: c.TokensIn.Or(0), TokensOut: c.TokensOut.Or(0),
			InputUSD: micro(cost.InputUSD), OutputUSD: micro(cost.OutputUSD), TotalUSD: micro(cost.TotalUSD), Timestamp: c.At, Matched: ok,
		})
		if !ok {
			return
		}
		m.Matched = true
		m.InputUSD, m.OutputUSD, m.TotalUSD = m.InputUSD+cost.InputUSD, m.OutputUSD+cost.OutputUSD, m.TotalUSD+cost.TotalUSD
		out.InputUSD, out.OutputUSD, out.TotalUSD = out.InputUSD+cost.InputUSD, out.OutputUSD+cost.OutputUSD, out.TotalUSD+cost.TotalUSD
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, model := range slices.Sorted(maps.Keys(out.ByModel)) {
		m := out.ByModel[model]
		m.InputUSD, m.OutputUSD, m.TotalUSD = micro(m.InputUSD), micro(m.OutputUSD), micro(m.TotalUSD)
		if !m.Matched && m.TokensIn+m.TokensOut > 0 {
			out.Unmatched = append(out.Unmatched, model)
		}
	}
	out.InputUSD, out.OutputUSD, out.TotalUSD = micro(out.InputUSD), micro(out.OutputUSD), micro(out.TotalUSD)
	s.answer(w, http.StatusOK, out)
}

// micro rounds to a millionth, as the original does.
func micro(usd float64) float64 { return math.Round(usd*1e6) / 1e6 }
