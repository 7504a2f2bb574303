package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

const moduleFile = "../../MODULE.bazel"

func TestGoModulesAreThoseOfTheRepository(t *testing.T) {
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
	// Both profiles build with one Go.
	text, err := os.ReadFile(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := `download_go_sdk.download(version = "` + version + `")`; !strings.Contains(string(text), want) {
		t.Errorf("MODULE.bazel has no %s", want)
	}
	without := filepath.Join(t.TempDir(), "MODULE.bazel")
	if err := os.WriteFile(without, []byte("module(name = \"x\")\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := hostVersion(without); err == nil {
		t.Error("a module file without go_sdk.host has a version")
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
	for name, bad := range map[string]cli.Env{
		"no workspace":      env(home, "--", "build"),
		"unknown flag":      env(home, "-workspace", "/w", "-x"),
		"no home":           env(nil, "-workspace", "/w"),
		"relative upstream": env(map[string]string{"HOME": "/home/me", "HYPERKUBE_BAZEL_MODULES": "up"}, "-workspace", "/w"),
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOptions(t *testing.T) {
	c := config{workspace: "/w", cache: "/cache", store: "/store", upstream: "/up"}
	sdk := goSDK{root: "/go", env: map[string]string{"GOPROXY": "https://proxy.example", "GOPRIVATE": "", "GOAUTH": `git /srv/it's "here"#1`}}
	want := `# Written by tools/airgap.
startup --install_base=/usr/share/bazel
common --config=airgap
common --registry=file:///registry
common --experimental_downloader_config=/w/airgap/downloader.cfg
common --repo_env=HYPERKUBE_CACHE=/cache
common --repo_env=HYPERKUBE_STORE=/store
common --repo_env=HYPERKUBE_REBUILD=1
common --repo_env=GOROOT=/usr/local/go
common --repo_env=GOTOOLCHAIN=local
common --repo_env=GOAUTH="git /srv/it's \"here\"#1"
common --repo_env=GOPROXY=https://proxy.example
common --repo_env=HYPERKUBE_OCI_PROGRAMS=/cache/bazel/programs/crane-0.18.0-regctl-0.8.0
build --sandbox_add_mount_pair=/up
`
	if got := c.options([]string{"startup --install_base=/usr/share/bazel"}, "/registry", sdk); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{
		"HOME=/home/me", "PATH=/machine/bin", "LD_PRELOAD=x.so", "LC_ALL=de_DE", "GOROOT=/old", "GOPROXY=https://proxy.example", "TERM=xterm", "TMPDIR=/var/tmp",
	})
	want := []string{
		"HOME=/home/me", "GOPROXY=https://proxy.example", "TERM=xterm",
		"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "GOROOT=/usr/local/go", "GOTOOLCHAIN=local",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestModulesIn(t *testing.T) {
	dir := t.TempDir()
	for folder, text := range map[string]string{
		"a":      "module(name = \"rules_a\")\n",
		"b-1.2":  "module(name = \"b\", version = \"1.2\")\n",
		"nested": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, folder, "deeper"), 0o755); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, folder, "MODULE.bazel")
		if text == "" {
			name = filepath.Join(dir, folder, "deeper", "MODULE.bazel")
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := modulesIn(dir, "/seen")
	want := []moduleregistry.Module{
		{Name: "rules_a", File: filepath.Join(dir, "a", "MODULE.bazel"), Dir: "/seen/a"},
		{Name: "b", File: filepath.Join(dir, "b-1.2", "MODULE.bazel"), Dir: "/seen/b-1.2"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestOnceIsWholeOrNot(t *testing.T) {
	c := config{cache: t.TempDir(), log: new(strings.Builder)}
	if err := os.MkdirAll(c.path(), 0o755); err != nil {
		t.Fatal(err)
	}
	to := c.path("thing")
	// What a killed run leaves.
	if err := os.MkdirAll(filepath.Join(to+".new", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.once(t.Context(), to, func(string) error { return os.ErrPermission }); err == nil {
		t.Error("no error")
	}
	if entries, _ := filepath.Glob(to + "*"); len(entries) > 0 {
		t.Errorf("a failed run left %q", entries)
	}
	times := 0
	for range 2 {
		err := c.once(t.Context(), to, func(dir string) error {
			times++
			return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := filepath.Glob(to + "*/*"); times != 1 || !slices.Equal(entries, []string{filepath.Join(to, "file")}) {
		t.Errorf("filled %d times, holds %q", times, entries)
	}
}
