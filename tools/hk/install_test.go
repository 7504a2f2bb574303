package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// "go install …/tools/hk@VERSION" works once both modules are published: go.mod
// has no replace directive, and the module has every file that is embedded. The
// command is not compiled, only loaded.
func TestInstall(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.work")); errors.Is(err, os.ErrNotExist) {
		t.Skip("needs the whole checkout, which Bazel does not give a test")
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	const path, version = "github.com/hyperkube/hyperkube", "v0.1.0"
	proxy := t.TempDir()
	publish(t, proxy, module.Version{Path: path, Version: version}, root)
	publish(t, proxy, module.Version{Path: path + "/imagevector", Version: version}, filepath.Join(root, "imagevector"))

	cmd := exec.CommandContext(t.Context(), "go", "install", "-n", path+"/tools/hk@"+version)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), "GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw", "GOWORK=off", "GOSUMDB=off",
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(strings.TrimSpace(string(cache)), "cache/download")+",off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%.4000s", cmd.Args, err, out)
	}
}

// publish adds the module in dir to a module proxy, a directory.
func publish(t *testing.T, proxy string, m module.Version, dir string) {
	t.Helper()
	versions := filepath.Join(proxy, m.Path, "@v")
	gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(versions, m.Version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		zip.CreateFromDir(f, m, dir),
		f.Close(),
		os.WriteFile(filepath.Join(versions, m.Version+".mod"), gomod, 0o644),
		os.WriteFile(filepath.Join(versions, "list"), []byte(m.Version+"\n"), 0o644),
		os.WriteFile(filepath.Join(versions, m.Version+".info"), []byte(`{"Version":"`+m.Version+`"}`), 0o644),
	)
	if err != nil {
		t.Fatalf("publishing %s: %v", m, err)
	}
}
