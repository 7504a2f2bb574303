package versions

import (
	"fmt"
	"strings"
	"testing"
)

const good = `schema: 1
registry: registry.invalid
sources:
  kubernetes:
    kind: release
    url: https://dl.k8s.io/release/{version}/bin/{os}/{arch}/{file}
    files:
      kubelet: ">= 1.19.0"
      kubectl: ">= 1.19.0"
  patched:
    kind: archive
    url: https://example.com/{version}/kubelet-{arch}.tar.gz
    versions: ">= 1.24.10"
    members: {kubelet: bin/kubelet}
  programs:
    # Of this repository.
    kind: gobuild
    toolchain: go1.26.8
    flags: [-trimpath]
    packages: {sleep: ./images/sleep}
flavors:
  hyperkube:
    repository: hyperkube
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64, arm64]
    files:
      - {path: /sleep, source: programs/sleep, mode: "0555"}
      - {path: /kubelet, source: kubernetes/kubelet}
    symlinks: {/bin/kubelet: ../kubelet}
    entrypoint: [/sleep]
    cmd: [a, b]
    env: {PATH: /bin}
    labels: {version: "{version}"}
    user: "0:0"
    workdir: /tmp
    compression: zstd
    base:
      - {versions: ">= 1.19.0", image: "example.com/base@sha256:0000000000000000000000000000000000000000000000000000000000000000"}
  rke:
    repository: hyperkube
    tag: "{version}-rancher{iteration}"
    versions: "< 1.29.0"
    architectures: [amd64]
    files:
      - {path: /kubelet, source: patched/kubelet}
    entrypoint: [/kubelet]
releases:
  - v1.28.7
  - {version: v1.24.10, iterations: {rke: 3}}
`

func TestParseManifest(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	f := m.Flavors[0]
	if f.Name != "hyperkube" || f.Compression != Zstd || f.Files[0].Mode != 0o555 || f.Files[1].Mode != 0o755 || f.User != "0:0" ||
		f.Env[0] != (Pair{"PATH", "/bin"}) || f.Symlinks[0].Links[0] != (Symlink{"/bin/kubelet", "../kubelet"}) || len(f.Bases) != 1 || len(f.Platforms) != 2 {
		t.Errorf("flavor %+v", f)
	}
	if got := m.Flavors[1].tag(m.Flavors[1].revision(m.Releases[0])); m.Releases[0].Version.String() != "v1.24.10" || got != "v1.24.10-rancher3" {
		t.Errorf("first release %v, tag %q: want sorted releases, and the iteration in the tag", m.Releases[0], got)
	}
	if got := m.Flavors[1].tag(m.Flavors[1].revision(m.Releases[1])); got != "v1.28.7-rancher1" {
		t.Errorf("tag %q: want iteration 1 by default", got)
	}
	if m.Sources[0].Name != "kubernetes" || m.Sources[1].Files[0].Member != "bin/kubelet" || m.Sources[2].Toolchain != "go1.26.8" {
		t.Errorf("sources %+v", m.Sources)
	}
}

// Each case replaces one part of the good manifest, and has the expected error:
// file, line, field and message.
func TestParseManifestErrors(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"unknown key":                {"registry: registry.invalid", "registry: registry.invalid\nregistri: x", `m.yaml:3: registri: unknown key; want one of debian, flavors, registry, releases, schema, sources`},
		"duplicate key":              {"    user: \"0:0\"", "    user: \"0:0\"\n    user: \"1\"", `flavors.hyperkube.user: duplicate key, also in line 35`},
		"duplicate flavor":           {"  rke:\n", "  hyperkube:\n", `flavors.hyperkube: duplicate key, also in line 22`},
		"missing key":                {"    repository: hyperkube\n    tag: \"{version}\"\n", "    tag: \"{version}\"\n", `m.yaml:23: flavors.hyperkube.repository: missing`},
		"wrong schema":               {"schema: 1", "schema: 2", `m.yaml:1: schema: want 1`},
		"number for string":          {"user: \"0:0\"", "user: 0", `flavors.hyperkube.user: want a string, got 0 (int)`},
		"string for list":            {"entrypoint: [/sleep]", "entrypoint: /sleep", `flavors.hyperkube.entrypoint: want a list, got the string "/sleep"`},
		"text for mapping":           {"symlinks: {/bin/kubelet: ../kubelet}", "symlinks: a", `flavors.hyperkube.symlinks: want a mapping, got the string "a"`},
		"null":                       {"env: {PATH: /bin}", "env: {PATH: }", `flavors.hyperkube.env.PATH: want a string, got nothing`},
		"empty string":               {"user: \"0:0\"", "user: \"\"", `flavors.hyperkube.user: must not be empty`},
		"label key with =":           {"labels: {version: \"{version}\"}", "labels: {\"a=b\": \"{version}\"}", `key "a=b" has a space or =`},
		"key not ASCII":              {"labels: {version: \"{version}\"}", "labels: {\"org\\nx\": \"{version}\"}", `flavors.hyperkube.labels: "org\nx" has characters outside printable ASCII`},
		"whiteout":                   {"symlinks: {/bin/kubelet: ../kubelet}", "symlinks: {/bin/.wh.kubelet: ../kubelet}", `"/bin/.wh.kubelet" is a whiteout`},
		"not ASCII":                  {"labels: {version: \"{version}\"}", "labels: {version: \"ü\"}", `flavors.hyperkube.labels.version: "ü" has characters outside printable ASCII`},
		"alias":                      {"    cmd: [a, b]", "    cmd: &x [a, b]\n    env: *x", `flavors.hyperkube.env: want a mapping, got an alias`},
		"bad version":                {"- v1.28.7", "- v1.28", `m.yaml:49: releases[0]: "v1.28" is not a stable version like v1.36.0`},
		"pre-release":                {"- v1.28.7", "- v1.28.7-rc.1", `releases[0]: "v1.28.7-rc.1" is not a stable version`},
		"duplicate version":          {"- v1.28.7", "- v1.24.10", `releases[1]: duplicate release v1.24.10, also releases[0]`},
		"iteration 0":                {"rke: 3", "rke: 0", `releases[1].iterations.rke: want a number from 1 to 9999, got 0 (int)`},
		"iteration of no flavor":     {"rke: 3", "rki: 3", `releases[1].iterations.rki: unknown flavor "rki"`},
		"bad constraint":             {"\"< 1.29.0\"", "\"< one\"", `flavors.rke.versions: "< one" is not a version constraint`},
		"bad architecture":           {"[amd64, arm64]", "[amd64, x86_64]", `flavors.hyperkube.architectures[1]: "x86_64" is not an architecture: want amd64 or arm64`},
		"duplicate architecture":     {"[amd64, arm64]", "[amd64, amd64]", `flavors.hyperkube.architectures: duplicate amd64`},
		"no architecture":            {"[amd64, arm64]", "[]", `flavors.hyperkube.architectures: must not be empty`},
		"no source":                  {"source: patched/kubelet", "source: theirs/kubelet", `m.yaml:46: flavors.rke.files[0].source: unknown source "theirs"`},
		"no such file in the source": {"source: patched/kubelet", "source: patched/kubectl", `source "patched" has no file "kubectl"`},
		"source without file":        {"source: patched/kubelet", "source: patched", `"patched" is not SOURCE/FILE`},
		"relative path":              {"path: /sleep", "path: sleep", `flavors.hyperkube.files[0].path: "sleep" is relative`},
		"path with ..":               {"path: /sleep", "path: /a/../../sleep", `"/a/../../sleep" is not clean`},
		"duplicate path":             {"path: /kubelet, source: kubernetes/kubelet", "path: /sleep, source: kubernetes/kubelet", `flavors.hyperkube.files[1].path: duplicate path "/sleep", also of flavors.hyperkube.files[0]`},
		"symlink over file":          {"/bin/kubelet: ../kubelet", "/kubelet: ../kubelet", `duplicate path, also of flavors.hyperkube.files[1]`},
		"unclean path":               {"path: /sleep", "path: //sleep", `"//sleep" is not clean: want "/sleep"`},
		"root as path":               {"path: /sleep", "path: /", `"/" is not a file`},
		"symlink path with =":        {"symlinks: {/bin/kubelet: ../kubelet}", "symlinks: {/bin/a=b: ../kubelet}", `flavors.hyperkube.symlinks./bin/a=b: "/bin/a=b": want a path of letters, digits and any of / . _ - + @ , ~`},
		"path with :":                {"path: /sleep", "path: \"/sl:eep\"", `flavors.hyperkube.files[0].path: "/sl:eep": want a path of letters`},
		"bad mode":                   {"\"0555\"", "\"755\"", `"755" is not a mode`},
		"mode as number":             {"\"0555\"", "0555", `files[0].mode: want a string, got 0555 (int)`},
		"archive without versions":   {"    versions: \">= 1.24.10\"\n", "", `sources.patched.versions: missing`},
		"versions of a program":      {"flags: [-trimpath]", "versions: \">= 1.24.10\"", `sources.programs.versions: unknown key`},
		"bad kind":                   {"kind: gobuild", "kind: make", `sources.programs.kind: "make" is not a source kind`},
		"release without files":      {"    files:\n      kubelet: \">= 1.19.0\"\n      kubectl: \">= 1.19.0\"\n", "", `sources.kubernetes.files: missing`},
		"key of another kind":        {"toolchain: go1.26.8", "toolchain: go1.26.8\n    url: https://x", `sources.programs.url: unknown key`},
		"bad toolchain":              {"go1.26.8", "go1.26", `"go1.26" is not a toolchain`},
		"http":                       {"https://dl.k8s.io", "http://dl.k8s.io", `does not begin with https://`},
		"unknown placeholder":        {"{os}/{arch}", "{os}/{cpu}", `has unknown placeholder {cpu}; want one of {version}, {os}, {arch}, {file}`},
		"member with ..":             {"bin/kubelet}", "../kubelet}", `"../kubelet" is not a path in an archive`},
		"tag without version":        {"tag: \"{version}-rancher{iteration}\"", "tag: latest", `"latest" has no {version}`},
		"invalid tag":                {"tag: \"{version}-rancher{iteration}\"", "tag: \"{version}/x\"", `is not a tag`},
		"duplicate tag":              {"tag: \"{version}-rancher{iteration}\"", "tag: \"{version}\"", `flavors.rke.tag: duplicate tag hyperkube:v1.24.10 for v1.24.10, also of flavor "hyperkube"`},
		"base by tag":                {"base@sha256:0000000000000000000000000000000000000000000000000000000000000000", "base:v1", `"example.com/base:v1" is not an image reference by digest`},
		"base by short digest":       {"base@sha256:0000", "base@sha256:", `is not an image reference by digest`},
		"bad compression":            {"compression: zstd", "compression: xz", `"xz" is not a compression: want gzip or zstd`},
		"reserved flavor":            {"  rke:\n", "  layers:\n", `flavors.layers: is reserved: images/layers is not a flavor`},
		"bad flavor name":            {"  rke:\n", "  RKE:\n", `"RKE" is not a name`},
		"two documents":              {"releases:", "---\nreleases:", `more than one document`},
		"no YAML":                    {"schema: 1", "schema: [", `reading manifest "m.yaml"`},
		"file below a file":          {"path: /kubelet, source: kubernetes/kubelet", "path: /sleep/kubelet, source: kubernetes/kubelet", `flavors.hyperkube.files[1]: "/sleep/kubelet" is below "/sleep", which is not a directory but flavors.hyperkube.files[0]`},
		"file below a symlink":       {"path: /kubelet, source: kubernetes/kubelet", "path: /bin/kubelet/x, source: kubernetes/kubelet", `is below "/bin/kubelet", which is not a directory but flavors.hyperkube.symlinks./bin/kubelet`},
		"registry of one word":       {"registry: registry.invalid", "registry: hyperkube", `registry: "hyperkube" is not a registry: want a host that has a dot`},
		"repository with a tag":      {"    repository: hyperkube\n    tag: \"{version}-rancher", "    repository: hyperkube:latest\n    tag: \"{version}-rancher", `"hyperkube:latest" is not a repository`},
		"no flavors":                 {good[strings.Index(good, "flavors:"):strings.Index(good, "releases:")], "flavors: {}\n", `flavors: must not be empty`},
		"no releases":                {good[strings.Index(good, "releases:"):], "releases: []\n", `releases: must not be empty`},
		"empty":                      {good, "", `reading manifest "m.yaml"`},
		"expression in env":          {"env: {PATH: /bin}", "env: {PATH: \"/bin:$PATH\"}", `want a key without space`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, test.old) {
				t.Fatalf("not in the good manifest: %q", test.old)
			}
			m, err := ParseManifest("m.yaml", []byte(strings.Replace(good, test.old, test.new, 1)))
			if err == nil || m != nil {
				t.Fatalf("no error, parsed %v", m)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

// Targets of two flavors have the same name.
func TestParseManifestTargets(t *testing.T) {
	bad := strings.NewReplacer("  rke:\n", "  push:\n", "repository: hyperkube\n    tag: \"{version}-rancher{iteration}\"",
		"repository: other\n    tag: \"{version}\"", "{version: v1.24.10, iterations: {rke: 3}}", "v1.24.10").Replace(good)
	_, err := ParseManifest("m.yaml", []byte(bad))
	const want = `flavors.push: duplicate target //images:push_v1_24_10 for v1.24.10, also of flavor "hyperkube"`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// All errors are reported at once.
func TestParseManifestReportsAll(t *testing.T) {
	bad := strings.NewReplacer("schema: 1", "schema: 3", "v1.28.7", "latest", "path: /sleep", "path: sleep", "[amd64]", "[mips]").Replace(good)
	_, err := ParseManifest("m.yaml", []byte(bad))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"m.yaml:1: schema", "releases[0]", "flavors.hyperkube.files[0].path", "flavors.rke.architectures[0]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing error %q:\n%v", want, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(withDebian))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("releases: [{version: v1.1.1, iterations: {x: 1}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := ParseManifest("m.yaml", data); (m == nil) == (err == nil) {
			t.Errorf("got %v and %v", m, err)
		}
	})
}

func TestExpand(t *testing.T) {
	for template, want := range map[string]string{
		"{version}": "v1", "a{version}b{version}": "av1bv1", "{a{version}}": "{av1}", "}{version": "}{version", "": "", "x": "x", "{other}": "",
	} {
		if got := expand(template, map[string]string{"version": "v1"}); got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
	}
}

// A manifest of any size ends in a short error soon.
func TestParseManifestBounds(t *testing.T) {
	const head = `schema: 1
registry: registry.example
sources:
  kubernetes: {kind: release, url: "https://dl.k8s.io/{version}/{file}", files: {kubelet: ">= 1.19.0"}}
`
	flavors := func(n int) string {
		var b strings.Builder
		b.WriteString("flavors:\n")
		for i := range n {
			fmt.Fprintf(&b, "  f%d: {repository: r%d, tag: \"{version}\", versions: \">= 1.0.0\", architectures: [amd64], files: [{path: /k, source: kubernetes/kubelet}], entrypoint: [/k]}\n", i, i)
		}
		return b.String()
	}
	releases := func(n int, format string) string {
		var b strings.Builder
		b.WriteString("releases:\n")
		for i := range n {
			fmt.Fprintf(&b, format, i/100, i%100)
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		text, want string
		lines      int
	}{
		"releases": {flavors(1) + releases(100_000, "- v1.%d.%d\n"), "m.yaml:8: releases: want at most 20000, got 100000", 1},
		"images":   {flavors(11) + releases(10_000, "- v1.%d.%d\n"), "releases: want at most 100000 images, got 10000 releases of 11 flavors", 1},
		"errors":   {flavors(1) + releases(10_000, "- 1.%d.%d\n"), "9980 more errors", 21},
	} {
		_, err := ParseManifest("m.yaml", []byte(head+test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n")+1 != test.lines {
			t.Errorf("%s: want %d lines with %q, got %.2000v", name, test.lines, test.want, err)
		}
	}
	// Missing pins are as many.
	m, err := ParseManifest("m.yaml", []byte(head+flavors(1)+releases(1000, "- v2.%d.%d\n")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(m, NewLock()); err == nil || !strings.HasSuffix(err.Error(), "980 more errors") {
		t.Errorf("got %.2000v", err)
	}
}
