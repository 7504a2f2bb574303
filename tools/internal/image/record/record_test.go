package record

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.invalid
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/release/{version}/bin/{os}/{arch}/{file}
    files: {kubectl: ">= 1.19.0"}
flavors:
  kubectl:
    repository: kubectl
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64]
    files: [{path: /kubectl, source: kubernetes/kubectl}]
    entrypoint: [/kubectl]
  rke:
    repository: rke
    tag: "{version}-rancher{iteration}"
    versions: ">= 1.19.0"
    architectures: [amd64]
    files: [{path: /kubectl, source: kubernetes/kubectl}]
    symlinks: {/k: kubectl}
    entrypoint: [/kubectl]
releases: [v1.36.0]
`

const lock = `{"schema": 1, "files": [{"source":"kubernetes","version":"v1.36.0","platform":"linux/amd64","file":"kubectl","url":"https://dl.k8s.io/x","sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}`

func catalog(t *testing.T, manifest, lock string) *versions.Catalog {
	t.Helper()
	c, err := versions.LoadFrom(fstest.MapFS{
		versions.ManifestFile: &fstest.MapFile{Data: []byte(manifest)},
		versions.LockFile:     &fstest.MapFile{Data: []byte(lock)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// CheckInputs detects every change of an image's content without a build, and
// nothing else.
func TestCheckInputs(t *testing.T) {
	records := Records{}
	for _, image := range catalog(t, manifest, lock).Images {
		records[image.Name()] = Record{Inputs: image.InputHash().String()}
	}
	rke := "the inputs of rke:v1.36.0-rancher1 (flavor \"rke\") differ from those recorded in images/digests.json. Fix: raise the iteration: - {version: v1.36.0, iterations: {rke: 2}}"
	kubectl := "the inputs of kubectl:v1.36.0 (flavor \"kubectl\") differ from those recorded in images/digests.json. Fix: revert the change: the tag pattern has neither {iteration} nor {-iteration}"
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"nothing":     {"", "", nil},
		"sha256":      {strings.Repeat("a", 64), strings.Repeat("b", 64), []string{rke, kubectl}},
		"symlink":     {"{/k: kubectl}", "{/k: ./kubectl}", []string{rke}},
		"path":        {"{path: /kubectl, source: kubernetes/kubectl}]\n    symlinks", "{path: /bin/kubectl, source: kubernetes/kubectl}]\n    symlinks", []string{rke}},
		"mode":        {"source: kubernetes/kubectl}]\n    symlinks", "source: kubernetes/kubectl, mode: \"0555\"}]\n    symlinks", []string{rke}},
		"compression": {"    symlinks", "    compression: zstd\n    symlinks", []string{rke}},
		"label":       {"    symlinks", "    labels: {a: b}\n    symlinks", []string{rke}},
		"user":        {"    symlinks", "    user: \"1\"\n    symlinks", []string{rke}},
		"entrypoint":  {"[/kubectl]\n  rke", "[/kubectl, version]\n  rke", []string{kubectl}},
		"platform":    {"architectures: [amd64]\n    files: [{path: /kubectl, source: kubernetes/kubectl}]\n    symlinks", "architectures: [arm64]\n    files: [{path: /kubectl, source: kubernetes/kubectl}]\n    symlinks", []string{rke}},
		"iteration":   {"[v1.36.0]", "[{version: v1.36.0, iterations: {rke: 2}}]", nil},
		"repository":  {"repository: rke", "repository: other", nil},
	} {
		t.Run(name, func(t *testing.T) {
			all := lock
			if name == "platform" {
				all = strings.Replace(lock, `]}`, `,`+strings.ReplaceAll(lock[strings.Index(lock, `{"source"`):strings.Index(lock, `]}`)], "amd64", "arm64")+`]}`, 1)
			}
			c := catalog(t, strings.Replace(manifest, test.old, test.new, 1), strings.Replace(all, test.old, test.new, 1))
			err := records.CheckInputs(c)
			if len(test.want) == 0 && err != nil {
				t.Error(err)
			}
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
			if err != nil && len(strings.Split(err.Error(), "\n")) != len(test.want) {
				t.Errorf("got %v, want %d errors", err, len(test.want))
			}
		})
	}
}

// Recorded digests cannot be replaced.
func TestAdd(t *testing.T) {
	root := t.TempDir()
	first := Record{Inputs: "x", Index: "sha256:1", Manifests: map[string]string{"linux/amd64": "sha256:2"}, DiffIDs: map[string][]string{"linux/amd64": {"sha256:3"}}}
	if err := os.Mkdir(filepath.Join(root, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Add(t.Context(), root, "a:v1", first); err != nil {
			t.Fatal(err)
		}
	}
	other := first
	other.Index = "sha256:4"
	if err := Add(t.Context(), root, "a:v1", other); err == nil || !strings.Contains(err.Error(), "want index sha256:1, got sha256:4") {
		t.Errorf("got %v", err)
	}
	records, err := Read(root)
	if err != nil || records["a:v1"].Index != "sha256:1" {
		t.Errorf("got %v, %v", records, err)
	}
}

func TestReadTooLarge(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, File)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644), os.Truncate(file, MaxSize+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(root); err == nil || !strings.Contains(err.Error(), "want at most 67108864 bytes, got more") {
		t.Errorf("got %v", err)
	}
}

func TestParse(t *testing.T) {
	const image = `{"a:b": {"inputs": "", "manifests": {}, "diffIDs": {}}}`
	if records, err := Parse([]byte(image + "\n")); err != nil || len(records) != 1 {
		t.Errorf("got %v, %v", records, err)
	}
	for text, want := range map[string]string{
		image + image:          "trailing data",
		image + "}":            "trailing data",
		`{"a:b": {"tag": ""}}`: "unknown field",
		image[:20]:             "unexpected EOF",
		"null":                 "want an object",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
