package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap"
)

// references is a converter that changes nothing: it refuses a configuration
// in which a component names a storage extension that the service does not
// run. The collector itself finds that out only when it starts.
type references struct{}

func newReferences() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return references{} })
}

// Convert returns an error for each reference to what is not there, with its
// path.
func (references) Convert(_ context.Context, conf *confmap.Conf) error {
	running := map[string]bool{}
	if list, ok := conf.Get("service::extensions").([]any); ok {
		for _, id := range list {
			running[fmt.Sprint(id)] = true
		}
	}
	all := conf.ToStringMap()
	var errs []error
	for _, kind := range [...]string{"receivers", "processors", "exporters"} {
		components, _ := all[kind].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(components)) {
			config, _ := components[id].(map[string]any)
			check := func(path string, of map[string]any) {
				if storage, ok := of["storage"].(string); ok && !running[storage] {
					errs = append(errs, fmt.Errorf("`%s::%s::%sstorage` is %q, want one of `service::extensions`", kind, id, path, storage))
				}
			}
			check("", config)
			queue, _ := config["sending_queue"].(map[string]any)
			check("sending_queue::", queue)
		}
	}
	return errors.Join(errs...)
}
