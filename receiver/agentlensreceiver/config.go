package agentlensreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Config is the configuration of the receiver.
type Config struct {
	// Extension is the agentlens_backend extension whose spans it takes. Default
	// agentlens_backend.
	Extension component.ID `mapstructure:"extension"`
}

var _ confmap.Validator = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{Extension: component.NewID(component.MustNewType("agentlens_backend"))}
}

// Validate refuses an empty extension.
func (c *Config) Validate() error {
	if c.Extension == (component.ID{}) {
		return errors.New("`extension` is empty, want the id of an agentlens_backend extension, as agentlens_backend")
	}
	return nil
}
