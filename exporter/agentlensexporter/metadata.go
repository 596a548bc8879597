package agentlensexporter

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// metadataCut is the metadata key that tells that entries are missing.
const metadataCut = "agentlens.metadata.cut"

// fitMetadata returns a session's metadata with own added, as long as the
// backend takes it, and its size in bytes of JSON. Strings too long are cut,
// and of more than fits the last keys are left out.
func fitMetadata(metadata, own map[string]any) (fitted map[string]any, size int) {
	fitted = maps.Clone(own)
	if fitted == nil {
		fitted = make(map[string]any, len(metadata))
	}
	const limit = wire.MaxFieldBytes - 2*wire.MaxStringChars // own and the mark
	for n, key := range slices.Sorted(maps.Keys(metadata)) {
		v, length := fitValue(metadata[key])
		name := cutText(key, wire.MaxStringChars)
		length += 6*len(name) + 4 // a byte takes six at most, and there is punctuation
		if size+length > limit {
			fitted[metadataCut] = fmt.Sprintf("%d of %d entries left out", len(metadata)-n, len(metadata))
			break
		}
		fitted[name] = v
		size += length
	}
	return fitted, size
}

// fitValue returns a value of metadata as it can be sent, and its size.
func fitValue(v any) (any, int) {
	if s, ok := v.(string); ok {
		v = cutText(s, wire.MaxStringChars)
	}
	text, err := encodeJSON(v)
	if err != nil {
		// Not a number, or infinite.
		return fitValue(cutText(fmt.Sprint(v), wire.MaxStringChars))
	}
	if _, ok := v.(string); !ok && len(text) > wire.MaxFieldBytes/2 {
		text = fitJSON(text, wire.MaxFieldBytes/2)
		return json.RawMessage(text), len(text)
	}
	return v, len(text)
}
