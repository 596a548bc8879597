package agentlensbackend

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis/drift"
	"github.com/agentlens/agentlens-otel/analysis/forecast"
	"github.com/agentlens/agentlens-otel/backend/insight"
)

var _ extensioncapabilities.ConfigSnapshotWatcher = (*backendExtension)(nil)

// processorType is the type of the processor whose engines the pages agree with.
var processorType = component.MustNewType("agentlens")

// processorConfig is what the pages need to know of that processor.
type processorConfig struct {
	Drift struct {
		Mode          string `mapstructure:"mode"`
		drift.Rolling `mapstructure:",squash"`
	} `mapstructure:"drift"`
	Forecast struct {
		Method  forecast.Method        `mapstructure:"method"`
		Budgets []forecast.NamedBudget `mapstructure:"budgets"`
	} `mapstructure:"forecast"`
}

// NotifyConfigSnapshot is called by the collector when it has started the
// extensions. The pages make their figures as the agentlens processor of a
// pipeline makes its findings, so that windows and budgets are set in one place;
// what the extension is told itself comes first, and a difference is logged.
func (e *backendExtension) NotifyConfigSnapshot(_ context.Context, snapshot extensioncapabilities.ConfigSnapshot) error {
	ids, configs, err := processors(snapshot.Effective())
	if err != nil || len(ids) == 0 {
		return err
	}
	p := configs[0]
	for i := range configs[1:] {
		if !reflect.DeepEqual(configs[i+1], p) {
			e.set.Logger.Warn("The agentlens processors of this collector differ in drift or forecast: the pages make their figures as the first",
				zap.Stringer("first", ids[0]), zap.Stringer("other", ids[i+1]))
		}
	}
	settings := insight.Settings{
		Drift: drift.Rolling{
			BaselineSessions: cmp.Or(e.cfg.Drift.BaselineSessions, p.Drift.BaselineSessions),
			CurrentSessions:  cmp.Or(e.cfg.Drift.CurrentSessions, p.Drift.CurrentSessions),
		},
		Method: p.Forecast.Method, Budgets: e.cfg.Budgets,
	}
	if len(settings.Budgets) == 0 {
		settings.Budgets = p.Forecast.Budgets
	}
	if p.Drift.Mode != "rolling" || settings.Drift != p.Drift.Rolling {
		e.set.Logger.Warn("The pages compare other sessions than the agentlens processor, and may show another drift than it tells",
			zap.String("processor_mode", p.Drift.Mode), zap.Any("processor", p.Drift.Rolling), zap.Any("pages", settings.Drift))
	}
	e.backend.SetFigures(settings)
	return nil
}

// processors returns the agentlens processors of all pipelines, in the order of
// their ids.
func processors(conf *confmap.Conf) ([]component.ID, []processorConfig, error) {
	var all struct {
		Processors map[component.ID]map[string]any `mapstructure:"processors"`
		Service    struct {
			Pipelines map[string]struct {
				Processors []component.ID `mapstructure:"processors"`
			} `mapstructure:"pipelines"`
		} `mapstructure:"service"`
	}
	if err := conf.Unmarshal(&all, confmap.WithIgnoreUnused()); err != nil {
		return nil, nil, fmt.Errorf("read the pipelines: %w", err)
	}
	var ids []component.ID
	for _, p := range all.Service.Pipelines {
		for _, id := range p.Processors {
			if id.Type() == processorType && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, func(a, b component.ID) int { return cmp.Compare(a.String(), b.String()) })
	configs := make([]processorConfig, len(ids))
	for i, id := range ids {
		err := confmap.NewFromStringMap(all.Processors[id]).Unmarshal(&configs[i], confmap.WithIgnoreUnused())
		if err == nil {
			err = forecast.ValidateBudgets(configs[i].Forecast.Budgets)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read processor %s: %w", id, err)
		}
	}
	return ids, configs, nil
}
