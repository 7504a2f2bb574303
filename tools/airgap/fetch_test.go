package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
)

// goEnvironment returns the environment that repository rules run go with.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	const name = "../bazel/fetch.bzl"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := build.ParseBzl(name, text)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range f.Stmt {
		assign, ok := statement.(*build.AssignExpr)
		if !ok || build.FormatString(assign.LHS) != "_GO_ENVIRONMENT" {
			continue
		}
		var env []string
		for _, entry := range assign.RHS.(*build.DictExpr).List {
			env = append(env, entry.Key.(*build.StringExpr).Value+"="+entry.Value.(*build.StringExpr).Value)
		}
		return env
	}
	t.Fatalf("%s has no _GO_ENVIRONMENT", name)
	return nil
}

// TestFetchIgnoresGoSettings runs a program of this repository as repository rules
// run hk, on a machine with Go settings that break builds.
func TestFetchIgnoresGoSettings(t *testing.T) {
	if os.Getenv("TEST_SRCDIR") != "" {
		t.Skip("needs the go command and the module cache")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "env")
	settings := "GO111MODULE=off\nGOFLAGS=-mod=vendor\nGOOS=plan9\nGOTOOLCHAIN=go1.1\n"
	if err := os.WriteFile(saved, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	machine := []string{
		"GOENV=" + saved, "GOROOT=/nonexistent", "GOOS=darwin", "GOARCH=mips", "GOAMD64=v9", "GOARM64=v9.9", "GO111MODULE=off",
		"GOFLAGS=-mod=vendor", "GOWORK=off", "GOTOOLCHAIN=go1.1", "GOEXPERIMENT=none-such", "GOFIPS140=none-such", "CGO_ENABLED=1",
	}
	rule := append(goEnvironment(t),
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOROOT="+goroot(t), "GOWORK="+filepath.Join(root, "go.work"))
	run := func(env []string) (string, error) {
		cmd := exec.Command(filepath.Join(goroot(t), "bin/go"), "run", "./tools/airgap/sandbox", "-h")
		cmd.Dir = root
		cmd.Env = slices.Concat(os.Environ(), env)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(slices.Concat(machine, rule)); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// Each of these settings breaks the build of a rule that does not override it.
	for _, name := range []string{"GO111MODULE", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOROOT", "GOTOOLCHAIN"} {
		without := slices.DeleteFunc(slices.Clone(rule), func(v string) bool { return strings.HasPrefix(v, name+"=") })
		if out, err := run(slices.Concat(machine, without)); err == nil {
			t.Errorf("%s: no error without an override: %s", name, out)
		}
	}
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
