package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
	"github.com/hyperkube/hyperkube/tools/airgap/internal/moduleregistry"
	"golang.org/x/mod/modfile"
)

// TestModuleFileNamesGoDependencies replaces `bazel mod tidy`, which needs modules
// that the airgap profile does not have.
func TestModuleFileNamesGoDependencies(t *testing.T) {
	var modules, direct, all []string
	for _, gomod := range workspace(t) {
		modules = append(modules, repository(gomod.Module.Mod.Path))
		for _, r := range gomod.Require {
			all = append(all, repository(r.Mod.Path))
			if !r.Indirect {
				direct = append(direct, repository(r.Mod.Path))
			}
		}
	}
	// The modules of the Go workspace are part of this Bazel module.
	inWorkspace := func(repo string) bool { return slices.Contains(modules, repo) }
	direct, all = slices.DeleteFunc(direct, inWorkspace), slices.DeleteFunc(all, inWorkspace)
	f, err := moduleregistry.Parse(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, r := range f.Rules("use_repo") {
		if len(r.Call.List) > 0 && build.FormatString(r.Call.List[0]) == "go_deps" {
			for _, arg := range r.Call.List[1:] {
				named = append(named, arg.(*build.StringExpr).Value)
			}
		}
	}
	if len(named) == 0 || len(direct) == 0 {
		t.Fatal("no Go dependencies found")
	}
	for _, repo := range direct {
		if !slices.Contains(named, repo) {
			t.Errorf("add %q to use_repo(go_deps, …) in MODULE.bazel: a go.mod of the workspace requires it", repo)
		}
	}
	for _, repo := range named {
		if !slices.Contains(all, repo) {
			t.Errorf("remove %q from use_repo(go_deps, …) in MODULE.bazel: no go.mod of the workspace requires it", repo)
		}
	}
	if !slices.IsSorted(named) {
		t.Errorf("sort use_repo(go_deps, …) in MODULE.bazel: %q", named)
	}
}

// workspace returns the go.mod files of the modules that go.work lists.
func workspace(t *testing.T) []*modfile.File {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	work, err := modfile.ParseWork("go.work", read("go.work"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var files []*modfile.File
	for _, use := range work.Use {
		name := filepath.Join(use.Path, "go.mod")
		file, err := modfile.Parse(name, read(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

var notInNames = regexp.MustCompile(`[^a-z0-9]`)

// repository returns gazelle's repository name of a Go module: the reversed host
// name, then the rest of the path.
func repository(path string) string {
	host, rest, _ := strings.Cut(strings.ToLower(path), "/")
	parts := strings.Split(host, ".")
	slices.Reverse(parts)
	return notInNames.ReplaceAllString(strings.Join(append(parts, rest), "_"), "_")
}
