package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
)

const packageName = "@pydantic/genai-prices"

// release is what the generator needs of the npm package.
type release struct {
	version string
	license []byte
	bundle  []byte
}

// readRelease reads a release as npm packs it.
func readRelease(file string) (*release, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r := &release{}
	var manifest []byte
	parts := map[string]*[]byte{
		"package/package.json":  &manifest,
		"package/LICENSE":       &r.license,
		"package/dist/index.js": &r.bundle,
	}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if part := parts[h.Name]; part != nil {
			if *part, err = io.ReadAll(archive); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file, h.Name, err)
			}
		}
	}
	for name, part := range parts {
		if len(*part) == 0 {
			return nil, fmt.Errorf("%s: no %s in it", file, name)
		}
	}
	var m struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, fmt.Errorf("%s: package.json: %w", file, err)
	}
	if m.Name != packageName || m.Version == "" {
		return nil, fmt.Errorf("%s is %s %s, want a release of %s", file, m.Name, m.Version, packageName)
	}
	r.version = m.Version
	return r, nil
}

// firstProvider is where the bundle's data starts: it has no name that lasts.
var firstProvider = regexp.MustCompile(`=\s*(\[\s*\{\s*id:\s*["'` + "`" + `])`)

// sourceProvider is a provider with what the project keeps of it.
type sourceProvider struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	APIPattern     string          `json:"api_pattern"`
	ModelMatch     json.RawMessage `json:"model_match,omitempty"`
	ProviderMatch  json.RawMessage `json:"provider_match,omitempty"`
	FallbackModels []string        `json:"fallback_model_providers,omitempty"`
	Models         []sourceModel   `json:"models"`
}

type sourceModel struct {
	ID            string          `json:"id"`
	Name          string          `json:"name,omitempty"`
	Match         json.RawMessage `json:"match"`
	ContextWindow json.RawMessage `json:"context_window,omitempty"`
	Deprecated    bool            `json:"deprecated,omitempty"`
	Prices        json.RawMessage `json:"prices"`
}

// data returns the release's providers as the file in the repository: all that
// says what a model is and costs, without descriptions and extractors, and with
// a model a line so that a change of prices can be read in a diff.
func (r *release) data() ([]byte, error) {
	at := firstProvider.FindSubmatchIndex(r.bundle)
	if at == nil {
		return nil, errors.New("dist/index.js: no list of providers in it")
	}
	raw, err := literalToJSON(string(r.bundle[at[2]:]))
	if err != nil {
		return nil, fmt.Errorf("dist/index.js: %w", err)
	}
	var providers []sourceProvider
	if err := json.Unmarshal(raw, &providers); err != nil {
		return nil, fmt.Errorf("dist/index.js: %w", err)
	}
	return r.lines(providers)
}

func (r *release) lines(providers []sourceProvider) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"version\":%q,\"providers\":[\n", "genai-prices "+r.version)
	for i, p := range providers {
		models := p.Models
		p.Models = []sourceModel{}
		head, err := marshal(p)
		if err != nil {
			return nil, err
		}
		out.Write(bytes.TrimSuffix(head, []byte("]}")))
		for j, m := range models {
			line, err := marshal(m)
			if err != nil {
				return nil, err
			}
			out.WriteString("\n  ")
			out.Write(line)
			if j < len(models)-1 {
				out.WriteByte(',')
			}
		}
		out.WriteString("\n]}")
		if i < len(providers)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]}\n")
	return out.Bytes(), nil
}

func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}
