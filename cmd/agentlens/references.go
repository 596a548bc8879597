package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// references is a converter that changes nothing: it refuses a configuration
// in which a component names a storage extension that the service does not
// run, or that is no storage. The collector itself finds that out only when it
// starts.
type references struct{}

// noStorage are the distribution's extensions that store nothing for others, by
// type. Any other may be a storage of the user's own distribution.
var noStorage = []string{"agentlens_backend", "health_check", "pprof"}

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
				storage, ok := of["storage"].(string)
				extension, _, _ := strings.Cut(storage, "/")
				switch {
				case !ok:
				case !running[storage]:
					errs = append(errs, fmt.Errorf("`%s::%s::%sstorage` is %q, want one of `service::extensions`", kind, id, path, storage))
				case slices.Contains(noStorage, strings.TrimSpace(extension)):
					errs = append(errs, fmt.Errorf("`%s::%s::%sstorage` is %q, which stores nothing, want a storage extension such as file_storage", kind, id, path, storage))
				}
			}
			check("", config)
			queue, _ := config["sending_queue"].(map[string]any)
			check("sending_queue::", queue)
		}
	}
	return errors.Join(errs...)
}
