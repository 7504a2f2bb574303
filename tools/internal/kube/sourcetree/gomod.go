package sourcetree

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const (
	mainModule = "k8s.io/kubernetes"
	stagingDir = "./staging/src/"
)

// dropped are the staging modules that nothing we build imports and that some
// proxies refuse to serve. Without them the bytes of the binaries are the same.
var dropped = []string{"k8s.io/sample-cli-plugin", "k8s.io/sample-controller"}

// staging lists the modules that the tree keeps below staging/, by the
// replacements of its own go.mod, without the dropped ones.
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

// stagingVersion is the version under which the modules below staging/ are
// published: v0.36.0 for v1.36.0.
func stagingVersion(version string) (string, error) {
	rest, ok := strings.CutPrefix(version, "v1.")
	if !ok {
		return "", fmt.Errorf("version %q: its staging modules are known for v1 only", version)
	}
	return "v0." + rest, nil
}

// restoreStaging puts the published go.mod of a staging module back to what the
// tree had. Publishing turned the siblings' v0.0.0 into their version and took
// the replacements away; both show in what is built.
func restoreStaging(name string, published []byte, version string, siblings []string) ([]byte, error) {
	f, err := modfile.Parse(name, published, nil)
	if err != nil {
		return nil, fmt.Errorf("reading a staging module's go.mod: %w", err)
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

// dropFromMod takes the dropped modules out of the main module's go.mod.
func dropFromMod(f *modfile.File) ([]byte, error) {
	for _, path := range dropped {
		if err := f.DropReplace(path, ""); err != nil {
			return nil, err
		}
		if err := f.DropRequire(path); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	return f.Format()
}

// dropFromWork does the same for the workspace.
func dropFromWork(name string, gowork []byte) ([]byte, error) {
	f, err := modfile.ParseWork(name, gowork, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the tree's workspace: %w", err)
	}
	for _, path := range dropped {
		if err := f.DropUse(stagingDir + path); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	return modfile.Format(f.Syntax), nil
}
