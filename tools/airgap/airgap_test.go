package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
)

const moduleFile = "../../MODULE.bazel"

func TestGoModulesMatchModuleFile(t *testing.T) {
	for _, m := range goModules() {
		if err := m.check(moduleFile); err != nil {
			t.Error(err)
		}
		m.version += ".1"
		if err := m.check(moduleFile); err == nil || !strings.Contains(err.Error(), m.version) {
			t.Errorf("%s: error %v, want one that names version %s", m.name, err, m.version)
		}
	}
}

func TestHostVersion(t *testing.T) {
	version, err := hostVersion(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	if version == "" {
		t.Error("no version")
	}
	without := filepath.Join(t.TempDir(), "MODULE.bazel")
	if err := os.WriteFile(without, []byte("module(name = \"x\")\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := hostVersion(without); err == nil {
		t.Error("no error for a module file without go_sdk.host")
	}
}

// TestDownloadedGo checks that both profiles use the same version of Go, and that
// MODULE.bazel pins the archive of every platform.
func TestDownloadedGo(t *testing.T) {
	version, err := hostVersion(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := moduleregistry.Parse(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	rules := f.Rules("download_go_sdk.download")
	if len(rules) != 1 {
		t.Fatalf("MODULE.bazel has %d calls of download_go_sdk.download, want 1", len(rules))
	}
	if got := rules[0].AttrString("version"); got != version {
		t.Errorf("download_go_sdk.download has version %q, go_sdk.host has %q", got, version)
	}
	pins, ok := rules[0].Attr("sdks").(*build.DictExpr)
	if !ok {
		t.Fatal("download_go_sdk.download has no sdks: Bazel would trust checksums from go.dev")
	}
	var got []string
	sums := map[string]bool{}
	for _, pin := range pins.List {
		platform, values := pin.Key.(*build.StringExpr).Value, build.Strings(pin.Value)
		if len(values) != 2 || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(values[1]) || sums[values[1]] {
			t.Fatalf("sdks[%q] = %q, want a file name and a sha256 of its own", platform, values)
		}
		sums[values[1]] = true
		got = append(got, platform+" "+values[0])
	}
	var want []string
	for _, os := range []string{"darwin", "linux", "windows"} {
		suffix := ".tar.gz"
		if os == "windows" {
			suffix = ".zip"
		}
		for _, arch := range []string{"amd64", "arm64"} {
			want = append(want, os+"_"+arch+" go"+version+"."+os+"-"+arch+suffix)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("sdks: got %q\nwant %q\nFix: copy names and sha256 of Go %s from https://go.dev/dl/?mode=json&include=all", got, want, version)
	}
}

func TestParse(t *testing.T) {
	env := func(values map[string]string, args ...string) cli.Env {
		return cli.Env{Args: args, Getenv: func(k string) string { return values[k] }, Dir: "/here", Err: new(strings.Builder)}
	}
	home := map[string]string{"HOME": "/home/me"}
	c, err := parse(env(home, "-workspace", "/w", "--", "build", "--config=x", "//..."))
	if err != nil {
		t.Fatal(err)
	}
	if c.workspace != "/w" || c.dir != "/here" || c.cache != "/home/me/.cache/hyperkube" || c.store != "/home/me/.cache/hyperkube/store" ||
		!slices.Equal(c.args, []string{"build", "--config=x", "//..."}) {
		t.Errorf("got %+v", c)
	}
	if c, err := parse(env(home, "-workspace", "/w", "-bare")); err != nil || !c.bare {
		t.Errorf("-bare: got %+v, %v", c, err)
	}
	for name, bad := range map[string]cli.Env{
		"no workspace":      env(home, "--", "build"),
		"unknown flag":      env(home, "-workspace", "/w", "-x"),
		"no home":           env(nil, "-workspace", "/w"),
		"line break":        env(map[string]string{"HOME": "/home/me", "HYPERKUBE_STORE": "/s\nstartup --x"}, "-workspace", "/w"),
		"relative upstream": env(map[string]string{"HOME": "/home/me", "HYPERKUBE_BAZEL_MODULES": "up"}, "-workspace", "/w"),
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPrivatePaths(t *testing.T) {
	home := t.TempDir()
	for _, dir := range []string{".ssh", ".kube/hyperkube/tools/airgap/sandbox", ".config/modules", "cache/roots", "cache/store", "go/pkg/mod"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := config{
		workspace: home + "/.kube/hyperkube", cache: home + "/cache", store: home + "/cache/store", upstreamModules: home + "/.config/modules",
		getenv: func(string) string { return home },
	}
	sdk := goSDK{env: map[string]string{"GOMODCACHE": home + "/go/pkg/mod", "GOCACHE": "off"}}
	if _, err := c.privatePaths(sdk); err == nil {
		t.Error("no error without a list of private files")
	}
	list, err := os.ReadFile("sandbox/private.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.workspace, "tools/airgap/sandbox/private.txt"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := c.privatePaths(sdk)
	if want := []string{home + "/.ssh", home + "/cache/roots", home + "/cache/store", home + "/go/pkg"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestBazelrc(t *testing.T) {
	c := config{workspace: "/w", cache: "/cache", store: "/store", upstreamModules: "/up"}
	sdk := goSDK{root: "/go", env: map[string]string{"GOPROXY": "https://user:secret@proxy.example", "GOPRIVATE": "", "GOAUTH": `git /srv/it's "here"#1`}}
	want := `# Generated by tools/airgap.
startup --install_base=/usr/share/bazel
common --config=airgap
common --registry=file:///registry
common --repo_env=HYPERKUBE_CACHE=/cache
common --repo_env=HYPERKUBE_STORE=/store
common --repo_env=HYPERKUBE_REBUILD=1
common --repo_env=GOROOT=/usr/local/go
common --repo_env=GOTOOLCHAIN=local
build --sandbox_block_path="/home/me/it's \"here\"#1"
common --repo_env=GOAUTH
common --repo_env=GOPROXY
common --repo_env=HYPERKUBE_OCI_PROGRAMS=/cache/bazel/programs/crane-0.18.0-regctl-0.8.0
build --sandbox_add_mount_pair=/up
`
	if got := c.bazelrc([]string{"startup --install_base=/usr/share/bazel"}, []string{`/home/me/it's "here"#1`}, "/registry", sdk); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBazelEnv(t *testing.T) {
	got := bazelEnv([]string{
		"HOME=/home/me", "PATH=/machine/bin", "LD_PRELOAD=x.so", "LC_ALL=de_DE", "GOROOT=/old", "GOPROXY=https://proxy.example", "GOPRIVATE=example.org", "TERM=xterm", "TMPDIR=/var/tmp",
	}, goSDK{env: map[string]string{"GOPROXY": "https://user:secret@proxy.example", "GOAUTH": "off", "GOPRIVATE": ""}})
	want := []string{
		"HOME=/home/me", "TERM=xterm", "GOAUTH=off", "GOPROXY=https://user:secret@proxy.example",
		"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "GOROOT=/usr/local/go", "GOTOOLCHAIN=local",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestModulesIn(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "mnt")
	for name, text := range map[string]string{
		"a":      "module(name = \"rules_a\")\n",
		"b-1.2":  "module(name = \"b\", version = \"1.2\")\n",
		"nested": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, name, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name, "MODULE.bazel")
		if text == "" {
			file = filepath.Join(dir, name, "sub", "MODULE.bazel")
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := modulesIn(root, "/mnt")
	want := []moduleregistry.Module{
		{Name: "rules_a", File: filepath.Join(dir, "a", "MODULE.bazel"), Dir: "/mnt/a"},
		{Name: "b", File: filepath.Join(dir, "b-1.2", "MODULE.bazel"), Dir: "/mnt/b-1.2"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestEnsureDir(t *testing.T) {
	c := config{cache: t.TempDir(), log: new(strings.Builder)}
	if err := os.MkdirAll(c.path(), 0o755); err != nil {
		t.Fatal(err)
	}
	to := c.path("thing")
	// Left by a killed process.
	if err := os.MkdirAll(filepath.Join(to+".new", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.ensureDir(t.Context(), to, func(string) error { return os.ErrPermission }); err == nil {
		t.Error("no error")
	}
	if entries, _ := filepath.Glob(to + "*"); len(entries) > 0 {
		t.Errorf("a failed call left %q", entries)
	}
	times := 0
	for range 2 {
		err := c.ensureDir(t.Context(), to, func(dir string) error {
			times++
			return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := filepath.Glob(to + "*/*"); times != 1 || !slices.Equal(entries, []string{filepath.Join(to, "file")}) {
		t.Errorf("fill called %d times, directory has %q", times, entries)
	}
}

func TestWriteFiles(t *testing.T) {
	c := config{cache: t.TempDir(), log: new(strings.Builder)}
	// As earlier versions made it.
	if err := os.MkdirAll(c.path("rc"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := c.writeFiles(t.Context(), "rc", map[string][]byte{"a/b": []byte("text")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "a", "b")); err != nil || string(got) != "text" {
		t.Errorf("got %q, %v", got, err)
	}
	if info, err := os.Stat(c.path("rc")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v; want a directory that others cannot enter", info.Mode(), err)
	}
}

func TestMirrorEnv(t *testing.T) {
	archive, security := mirror.Source{URI: "http://m.example/debian"}, mirror.Source{URI: "http://s.example"}
	for _, test := range []struct {
		mirror mirror.Mirror
		err    error
		want   string
	}{
		{mirror.Mirror{Archive: archive, Security: security}, nil, "HYPERKUBE_DEBIAN_MIRROR=http://m.example/debian HYPERKUBE_DEBIAN_SECURITY_MIRROR=http://s.example"},
		{mirror.Mirror{Archive: archive}, nil, "HYPERKUBE_DEBIAN_MIRROR=http://m.example/debian"},
		{mirror.Mirror{Security: security}, errors.New("none"), ""},
	} {
		if got := strings.Join(mirrorEnv(test.mirror, test.err), " "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
