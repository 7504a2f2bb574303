package versions

import (
	"strings"
	"testing"
)

// several is a manifest with files and symlinks that differ between releases.
const several = `schema: 1
registry: registry.invalid
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/release/{version}/bin/{os}/{arch}/{file}
    files: {kubelet: ">= 1.19.0", hyperkube: "< 1.17.0"}
  fork:
    kind: release
    url: https://example.com/{version}/{arch}/{file}
    files: {kubelet: "1.36.0"}
flavors:
  rke:
    repository: rke
    tag: "{version}-rancher{iteration}"
    contentTag: true
    versions: ">= 1.10.0"
    architectures: [amd64]
    files:
      - {path: /hyperkube, source: kubernetes/hyperkube, versions: "< 1.17.0"}
      - path: /kubelet
        versions: ">= 1.19.0"
        source:
          - {file: fork/kubelet, versions: "1.36.0", minTags: [v1.35.0-rancher2, v1.36.0-rancher1]}
          - {file: kubernetes/kubelet}
    symlinks:
      - {name: all-in-one, versions: "< 1.17.0", links: {/kubelet: hyperkube}}
      - {name: split, versions: ">= 1.19.0", links: {/hyperkube: kubelet}}
    entrypoint: [/kubelet]
releases: [v1.16.0, v1.35.0, v1.36.0]
`

func TestParseManifestSeveral(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(several))
	if err != nil {
		t.Fatal(err)
	}
	f := m.Flavors[0]
	choice := f.Files[1].Sources[0]
	if !f.ContentTag || len(f.Files[1].Sources) != 2 || choice.Source != "fork" || choice.File != "kubelet" || len(choice.MinTags) != 2 ||
		choice.MinTags[0].Iteration != 2 || f.Symlinks[1].Name != "split" || f.Symlinks[1].Links[0] != (Symlink{"/hyperkube", "kubelet"}) {
		t.Errorf("flavor %+v", f)
	}
	want := map[string]string{"v1.16.0": "kubernetes/v1.16.0/linux/amd64/hyperkube", "v1.35.0": "kubernetes/v1.35.0/linux/amd64/kubelet", "v1.36.0": "fork/v1.36.0/linux/amd64/kubelet"}
	for _, key := range m.RequiredFiles(NewLock()) {
		if want[key.Version.String()] != key.String() {
			t.Errorf("unexpected %s", key)
		}
		delete(want, key.Version.String())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestParseManifestSeveralErrors(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"duplicate path of a release": {`"< 1.17.0", links: {/kubelet`, `"< 1.17.0", links: {/hyperkube`, `m.yaml:13: flavors.rke.symlinks./hyperkube: duplicate path, also of flavors.rke.files[0]`},
		"path below a file":           {`links: {/hyperkube: kubelet}`, `links: {/kubelet/x: kubelet}`, `"/kubelet/x" is below "/kubelet", which is not a directory but flavors.rke.files[1]`},
		"duplicate group":             {"name: split", "name: all-in-one", `flavors.rke.symlinks[1].name: duplicate group "all-in-one"`},
		"group without name":          {"name: all-in-one, ", "", `flavors.rke.symlinks[0].name: missing`},
		"no sources":                  {"        source:\n          - {file: fork/kubelet, versions: \"1.36.0\", minTags: [v1.35.0-rancher2, v1.36.0-rancher1]}\n          - {file: kubernetes/kubelet}\n", "        source: []\n", `flavors.rke.files[1].source: must not be empty`},
		"unknown source":              {"file: fork/kubelet", "file: their/kubelet", `flavors.rke.files[1].source: unknown source "their"`},
		"choice without a file":       {"{file: kubernetes/kubelet}", "{versions: \"1.36.0\"}", `flavors.rke.files[1].source[1].file: missing`},
		"tag of another template":     {"v1.35.0-rancher2", "v1.35.0", `flavors.rke.files[1].source[0].minTags[0]: "v1.35.0" is not a tag like "v1.36.0-rancher1"`},
		"pre-release":                 {"v1.35.0-rancher2", "v1.35.0-rc.1-rancher2", `is not a tag like`},
		"content tag as text":         {"contentTag: true", "contentTag: \"yes\"", `flavors.rke.contentTag: want true or false, got the string "yes"`},
		"label of a source":           {"entrypoint: [/kubelet]", "entrypoint: [/kubelet]\n    labels: {a: \"{source:/kubectl}\"}", `flavors.rke.labels.a: {source:/kubectl}: the flavor has no file "/kubectl"`},
		"placeholder in a label":      {"entrypoint: [/kubelet]", "entrypoint: [/kubelet]\n    labels: {a: \"{sources:/kubelet}\"}", `has unknown placeholder {sources:/kubelet}`},
		"tag of an equal template":    {"{version}-rancher{iteration}", "{version}", `is not a tag like "v1.36.0"`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(several, test.old) {
				t.Fatalf("not in the manifest: %q", test.old)
			}
			_, err := ParseManifest("m.yaml", []byte(strings.Replace(several, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}
