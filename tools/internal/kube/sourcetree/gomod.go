package sourcetree

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const (
	mainModule = "k8s.io/kubernetes"
	stagingDir = "./staging/src/"
)

// dropped has the staging modules that no official binary imports and that some
// proxies refuse to serve. The bytes of the binaries are the same without them.
var dropped = []string{"k8s.io/sample-cli-plugin", "k8s.io/sample-controller"}

// staging returns the modules below staging/, which are replaced in the main
// go.mod, without the dropped ones.
func staging(gomod *modfile.File) []string {
	var paths []string
	for _, r := range gomod.Replace {
		if r.New.Path == stagingDir+r.Old.Path && !slices.Contains(dropped, r.Old.Path) {
			paths = append(paths, r.Old.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// stagingVersion returns the version of the published staging modules: v0.36.0
// for v1.36.0.
func stagingVersion(version string) (string, error) {
	rest, ok := strings.CutPrefix(version, "v1.")
	if !ok {
		return "", fmt.Errorf("unsupported version %q: want v1", version)
	}
	return "v0." + rest, nil
}

// restoreStaging restores the go.mod of a staging module. Publishing replaced the
// version v0.0.0 of its siblings by the published one and removed the
// replacements. Both are part of the build information in binaries.
func restoreStaging(name string, published []byte, version string, siblings []string) ([]byte, error) {
	f, err := modfile.Parse(name, published, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the go.mod of a staging module: %w", err)
	}
	for _, r := range f.Require {
		if r.Mod.Version == version && (slices.Contains(siblings, r.Mod.Path) || slices.Contains(dropped, r.Mod.Path)) {
			if err := f.AddRequire(r.Mod.Path, "v0.0.0"); err != nil {
				return nil, fmt.Errorf("restoring %q: %w", name, err)
			}
		}
	}
	for _, s := range siblings {
		if s == f.Module.Mod.Path {
			continue
		}
		if err := f.AddReplace(s, "", "../"+strings.TrimPrefix(s, "k8s.io/"), ""); err != nil {
			return nil, fmt.Errorf("restoring %q: %w", name, err)
		}
	}
	f.Cleanup()
	return f.Format()
}

// dropFromMod removes the dropped modules from the main go.mod.
func dropFromMod(f *modfile.File) ([]byte, error) {
	for _, path := range dropped {
		if err := errors.Join(f.DropReplace(path, ""), f.DropRequire(path)); err != nil {
			return nil, fmt.Errorf("restoring go.mod of the tree: %w", err)
		}
	}
	f.Cleanup()
	return f.Format()
}

// dropFromWork removes the dropped modules from go.work.
func dropFromWork(name string, gowork []byte) ([]byte, error) {
	f, err := modfile.ParseWork(name, gowork, nil)
	if err != nil {
		return nil, fmt.Errorf("reading go.work of the tree: %w", err)
	}
	for _, path := range dropped {
		if err := f.DropUse(stagingDir + path); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	return modfile.Format(f.Syntax), nil
}
