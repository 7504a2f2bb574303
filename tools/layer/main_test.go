package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"layer": main})
}

func TestScripts(t *testing.T) {
	script.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		return writePackages(t, env.WorkDir)
	}})
}

// writePackages writes two packages and the specification of their layer to dir.
func writePackages(t *testing.T, dir string) error {
	set := versions.PackageSet{Name: "low", Files: []versions.AddedFile{{Path: "/etc/os-release", Content: "ID=test\n", Mode: 0o644}}}
	var platform versions.Platform
	for _, name := range []string{"a", "b"} {
		p := debtest.Package{Name: name, Files: []debtest.Entry{debtest.Dir("./usr"), debtest.File("./usr/"+name, name)}}
		raw := p.Build(t, "")
		if err := os.WriteFile(filepath.Join(dir, name+".deb"), raw, 0o644); err != nil {
			return err
		}
		pin := p.Pin(t, set.Name, raw)
		platform = pin.Platform
		set.Packages = append(set.Packages, pin)
	}
	raw, err := json.Marshal(versions.PackageLayer{Platform: platform, Sets: []versions.PackageSet{set}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "spec.json"), raw, 0o644)
}
