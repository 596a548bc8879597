package agentlensbackend

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/agentlens/agentlens-otel/extension/agentlensbackend/internal/metadata"
)

// NewFactory returns the factory of the extension agentlens_backend.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return &backendExtension{cfg: cfg.(*Config), set: set}, nil
}
