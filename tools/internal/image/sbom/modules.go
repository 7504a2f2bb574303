package sbom

import (
	"debug/buildinfo"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// module is a Go module that is linked into a program.
type module struct {
	path, version string // "" for the version of a module of this repository
	kubernetes    bool   // published by the Kubernetes project from its main repository
}

// modules returns the modules of a program, the main module first. Its build
// information has (devel) as the version of modules that were built from local
// directories: those of Kubernetes have the version of the release.
func (p Program) modules() []module {
	if p.Info == nil {
		return nil
	}
	var all []module
	if path := p.mainModule(); path != "" {
		m := module{path: path, version: p.Info.Main.Version}
		if path == kubernetes {
			m.kubernetes = true
			if p.Source == versions.KindRelease || isLocal(m.version) {
				m.version = p.Pin.Version.String()
			}
		}
		all = append(all, m.known())
	}
	for _, dep := range p.Info.Deps {
		all = append(all, p.dependency(dep))
	}
	return all
}

// mainModule returns the path of the main module, "" if unknown. Old versions of
// Kubernetes were not built in module mode, but their packages have the path of it.
func (p Program) mainModule() string {
	switch {
	case p.Info == nil:
		return ""
	case p.Info.Main.Path == "" && strings.HasPrefix(p.Info.Path, kubernetes+"/"):
		return kubernetes
	}
	return p.Info.Main.Path
}

func (p Program) dependency(dep *debug.Module) module {
	m := module{path: dep.Path, version: dep.Version}
	if r := dep.Replace; r != nil {
		if strings.HasPrefix(r.Path, ".") || strings.HasPrefix(r.Path, "/") {
			m.version = ""
		} else {
			m.path, m.version = r.Path, r.Version
		}
	}
	// The modules below staging/src are published with the major version 0.
	if isLocal(m.version) && p.Info.Main.Path == kubernetes && strings.HasPrefix(m.path, "k8s.io/") && p.Pin.Version != (versions.Version{}) {
		_, minor, _ := strings.Cut(p.Pin.Version.String(), ".")
		m.version, m.kubernetes = "v0."+minor, true
	}
	return m.known()
}

// known returns the module without a version that is none.
func (m module) known() module {
	if isLocal(m.version) {
		m.version = ""
	}
	return m
}

// isLocal reports whether a version in the build information is that of a module in a
// local directory.
func isLocal(version string) bool {
	return version == "" || version == "(devel)" || version == "v0.0.0"
}

// toolchain returns the version of Go, "1.26.2", "" if unknown.
func (p Program) toolchain() string {
	if p.Info == nil {
		return ""
	}
	version, _, _ := strings.Cut(p.Info.GoVersion, " ")
	version, ok := strings.CutPrefix(version, "go")
	if !ok {
		return ""
	}
	return version
}

// created returns the time of the newest commit that a program was built from, in
// place of the current time; the start of 1970 if no program has one.
func created(all []Contents) time.Time {
	newest := time.Unix(0, 0).UTC()
	for _, c := range all {
		for _, p := range c.Programs {
			if t, err := time.Parse(time.RFC3339, setting(p.Info, "vcs.time")); err == nil && t.After(newest) {
				newest = t.UTC()
			}
		}
	}
	return newest
}

// setting returns a setting of a build, "" without it.
func setting(info *buildinfo.BuildInfo, key string) string {
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
