package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The embedded table is what the generator makes of the data in the repository.
// What is compared is not compressed, for that may differ between Go versions.
func TestGeneratedIsCurrent(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", dataFile))
	require.NoError(t, err)
	want, err := compact(data)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, unpacked(t, filepath.Join("..", outFile))),
		"%s is not what %s gives: run go generate ./analysis/pricing", outFile, dataFile)
}

func TestUpdate(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o755))
	release := pack(t, map[string]string{
		"package/package.json": `{"name":"@pydantic/genai-prices","version":"9.9.9"}`,
		"package/LICENSE":      "The MIT License",
		"package/dist/index.js": `/* bundled */
const E = [
  {
    id: "acme",
    name: 'Acme',
    pricing_urls: ["https://acme.example"],
    api_pattern: "https://api\\.acme\\.example",
    extractors: [{ root: ["a", { type: "array-match", match: { equals: "x" } }], required: !0 }],
    description: ` + "`two\nlines with \\`quotes\\` and \\u00e9`" + `,
    fallback_model_providers: ["other"],
    models: [
      { id: "m-1", match: { regex: "^m-\\d+$" }, deprecated: !0, prices: { input_mtok: .075, output_mtok: 1e-1 } },
      { id: "m-2", match: { or: [{ equals: "m<2>" }, ] }, price_comments: null,
        prices: [{ prices: { input_mtok: 1, input_audio_mtok: 2 } }, { constraint: { start_date: "2026-01-01", type: "start_date" }, prices: {} }] },
    ]
  },
  { id: "other", name: "Other", api_pattern: "", models: [] }
];
const J = { audio: !1 };
export { E };
`,
	})
	require.NoError(t, run(dir, release))

	data, err := os.ReadFile(filepath.Join(dir, dataFile))
	require.NoError(t, err)
	assert.Equal(t, `{"version":"genai-prices 9.9.9","providers":[
{"id":"acme","name":"Acme","api_pattern":"https://api\\.acme\\.example","fallback_model_providers":["other"],"models":[
  {"id":"m-1","match":{"regex":"^m-\\d+$"},"deprecated":true,"prices":{"input_mtok":0.075,"output_mtok":0.1}},
  {"id":"m-2","match":{"or":[{"equals":"m<2>"}]},"prices":[{"prices":{"input_mtok":1,"input_audio_mtok":2}},{"constraint":{"start_date":"2026-01-01","type":"start_date"},"prices":{}}]}
]},
{"id":"other","name":"Other","api_pattern":"","models":[
]}
]}
`, string(data))
	assert.JSONEq(t, `{"version":"genai-prices 9.9.9","providers":[
		{"id":"acme","name":"Acme","fallback_model_providers":["other"],"models":[
			{"id":"m-1","match":{"regex":"^m-\\d+$"},"prices":{"input_mtok":0.075,"output_mtok":0.1}},
			{"id":"m-2","match":{"or":[{"equals":"m<2>"}]},"prices":[{"prices":{"input_mtok":1}},{"constraint":{"start_date":"2026-01-01","type":"start_date"},"prices":{}}]}]},
		{"id":"other","name":"Other","models":[]}]}`, string(unpacked(t, filepath.Join(dir, outFile))))
	license, err := os.ReadFile(filepath.Join(dir, licenseFile))
	require.NoError(t, err)
	assert.Equal(t, "The MIT License", string(license))
}

func TestUpdateRefuses(t *testing.T) {
	good := map[string]string{
		"package/package.json":  `{"name":"@pydantic/genai-prices","version":"1.0.0"}`,
		"package/LICENSE":       "MIT",
		"package/dist/index.js": `const E=[{id:"a",name:"A",models:[]}]`,
	}
	for name, c := range map[string]struct{ file, content, want string }{
		"another package": {"package/package.json", `{"name":"left-pad","version":"1.0.0"}`, "is left-pad 1.0.0, want a release of @pydantic/genai-prices"},
		"no license":      {"package/LICENSE", "", "no package/LICENSE in it"},
		"no providers":    {"package/dist/index.js", "export {}", "no list of providers"},
		"cut off":         {"package/dist/index.js", `E=[{id:"a",name:"A`, "string without an end"},
		"an expression":   {"package/dist/index.js", `E=[{id:"a",name:f()}]`, `unexpected "f()}]"`},
		"a price below 0": {"package/dist/index.js", `E=[{id:"a",models:[{id:"m",match:{equals:"m"},prices:{input_mtok:-1}}]}]`, "input_mtok is -1"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for k, v := range good {
				files[k] = v
			}
			files[c.file] = c.content
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o755))
			require.ErrorContains(t, run(dir, pack(t, files)), c.want)
			assert.NoFileExists(t, filepath.Join(dir, outFile))
			assert.NoFileExists(t, filepath.Join(dir, dataFile))
		})
	}
}

func TestLiteralToJSON(t *testing.T) {
	for in, want := range map[string]string{
		`[]`:                        `[]`,
		`{a:1,"b c":[!0,!1,null],}`: `{"a":1,"b c":[true,false,null]}`,
		`-.5e1 rest`:                `-5`,
		`"a\"b\\c\n\x41\u00e9\
d"`: `"a\"b\\c\nAéd"`,
		"`a\n$b\\${c}`":       `"a\n$b${c}"`,
		`/* x */ [ /*y*/ 1 ]`: `[1]`,
	} {
		got, err := literalToJSON(in)
		if assert.NoError(t, err, in) {
			assert.JSONEq(t, want, string(got), in)
		}
	}
	for _, in := range []string{``, `[`, `[1 2]`, `{a}`, `{a:}`, `{1-2:3}`, `'x`, `"\`, `"\u12`, `"\ud800"`, "`${a}`", `1.2.3`, `undefined`, `/* `} {
		_, err := literalToJSON(in)
		assert.Error(t, err, in)
	}
}

// What is JSON is a JavaScript literal too, and means the same.
func FuzzLiteralToJSON(f *testing.F) {
	f.Add(`[{"a":"b\u0041","c":[1.5,true,null]}]`)
	f.Add("[`a`,'b']")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := literalToJSON(in)
		if err != nil {
			return
		}
		require.True(t, json.Valid(got), "%q gives %q", in, got)
	})
}

// pack writes a release as npm does and returns its name.
func pack(t *testing.T, files map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for name, content := range files {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := archive.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, z.Close())
	file := filepath.Join(t.TempDir(), "release.tgz")
	require.NoError(t, os.WriteFile(file, out.Bytes(), 0o644))
	return file
}

func unpacked(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return b
}
