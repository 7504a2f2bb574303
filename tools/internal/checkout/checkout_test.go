package checkout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.invalid
sources:
  kubernetes: {kind: release, url: "https://example.com/{version}/{os}/{arch}/{file}", files: {kubectl: ">= 1.19.0"}}
flavors:
  kubectl:
    repository: kubectl
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64]
    files: [{path: /kubectl, source: kubernetes/kubectl}]
    entrypoint: [/kubectl]
releases: [v1.36.0]
`

const lock = `{"schema": 1, "files": [{"source":"kubernetes","version":"v1.36.0","platform":"linux/amd64","file":"kubectl","url":"https://example.com/x","sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}`

func TestOpen(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, versions.ManifestFile), manifest)
	below := filepath.Join(root, "docs", "x")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	// A manifest without a lock is no checkout.
	if d, err := Open(below); err != nil || d.Root != "" || len(d.Catalog.Images) < 500 || d.Records["hyperkube:v1.36.0"].Index == "" {
		t.Errorf("embedded: root %q, %d records, %v", d.Root, len(d.Records), err)
	}
	write(t, filepath.Join(root, versions.LockFile), lock)
	write(t, filepath.Join(root, "images", "digests.json"), `{"kubectl:v1.36.0": {"index": "sha256:0"}}`)
	for _, dir := range []string{root, below} {
		d, err := Open(dir)
		if err != nil || d.Root != root || len(d.Catalog.Images) != 1 || d.Records["kubectl:v1.36.0"].Index != "sha256:0" {
			t.Errorf("%s: got %+v, %v", dir, d, err)
		}
	}
	write(t, filepath.Join(root, versions.LockFile), "{")
	if _, err := Open(below); err == nil || !strings.HasPrefix(err.Error(), `opening checkout "`+root+`": reading lock`) {
		t.Errorf("torn lock: %v", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
