package moduleregistry

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// module writes a module file and returns the module.
func module(t *testing.T, name, text string) Module {
	t.Helper()
	path := filepath.Join(t.TempDir(), "MODULE.bazel")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Module{Name: name, File: path, Dir: "/modules/" + name}
}

const rulesModule = `module(
    name = "rules",
    compatibility_level = 3,
    bazel_compatibility = [">=7.0.0"],
)

bazel_dep(name = "lib", version = "2.0")
bazel_dep(name = "only_to_develop", version = "1", dev_dependency = True)

register_toolchains("//:all")
`

func TestRender(t *testing.T) {
	root := module(t, "root", `module(name = "root")
bazel_dep(name = "rules", version = "0.62.0")
bazel_dep(name = "over", version = "1")
bazel_dep(name = "never_used", version = "5.3.2.bcr.1")
bazel_dep(name = "never_used", version = "6")
`)
	empty := module(t, "empty", "module(name = \"empty\")\n")
	lib := module(t, "lib", "")
	over := module(t, "over", `module(name = "over")
bazel_dep(name = "lib", version = "1.0")
`)
	over.Overridden = true
	rules := module(t, "rules", rulesModule)
	late := module(t, "rules", `fail("only the first module of a name is used")`)

	bare := rules
	bare.Bare, bare.Extra = true, []Dependency{{"tools", "0"}}

	for name, test := range map[string]struct {
		provided []Module
		want     map[string]string
	}{
		"unchanged": {
			[]Module{rules, lib, late},
			map[string]string{
				"rules/0.62.0": `module(
    name = "rules",
    version = "0.62.0",
)

bazel_dep(name = "lib", version = "2.0")

bazel_dep(name = "only_to_develop", version = "1", dev_dependency = True)

register_toolchains("//:all")
`,
				"lib/2.0":                stub("lib", "2.0"),
				"lib/1.0":                stub("lib", "1.0"),
				"never_used/5.3.2.bcr.1": stub("never_used", "5.3.2.bcr.1"),
				"never_used/6":           stub("never_used", "6"),
			},
		},
		"without toolchains, with an extra dependency": {
			[]Module{bare},
			map[string]string{
				"rules/0.62.0": `module(
    name = "rules",
    version = "0.62.0",
)

bazel_dep(name = "lib", version = "2.0")

bazel_dep(name = "only_to_develop", version = "1", dev_dependency = True)

bazel_dep(name = "tools", version = "0")
`,
				"tools/0":                stub("tools", "0"),
				"lib/2.0":                stub("lib", "2.0"),
				"lib/1.0":                stub("lib", "1.0"),
				"never_used/5.3.2.bcr.1": stub("never_used", "5.3.2.bcr.1"),
				"never_used/6":           stub("never_used", "6"),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			modules := append([]Module{over, empty}, test.provided...)
			files, err := Render([]string{root.File}, modules)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for path, text := range files {
				if dir, ok := strings.CutSuffix(strings.TrimPrefix(path, "modules/"), "/MODULE.bazel"); ok {
					got[dir] = string(text)
				}
			}
			for _, key := range slices.Sorted(maps.Keys(test.want)) {
				if got[key] != test.want[key] {
					t.Errorf("%s: got\n%s\nwant\n%s", key, got[key], test.want[key])
				}
			}
			if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(test.want)); !slices.Equal(g, w) {
				t.Errorf("modules: got %q, want %q", g, w)
			}
			for _, source := range []struct{ path, want string }{
				{"modules/rules/0.62.0/source.json", `{"path":"/modules/rules","type":"local_path"}`},
				{"modules/never_used/6/source.json", `{"path":"/modules/empty","type":"local_path"}`},
			} {
				if got := strings.TrimSpace(string(files[source.path])); got != source.want {
					t.Errorf("%s: got %s, want %s", source.path, got, source.want)
				}
			}
			second, err := Render([]string{root.File}, modules)
			if err != nil || !reflect.DeepEqual(files, second) {
				t.Errorf("a second rendering differs (error %v)", err)
			}
		})
	}
}

// stub returns the module file of an empty module.
func stub(name, version string) string {
	return "module(\n    name = \"" + name + "\",\n    version = \"" + version + "\",\n)\n"
}

func TestRenderNamesUnreadableFile(t *testing.T) {
	broken := module(t, "broken", "module(name = \n")
	for _, roots := range [][]string{{broken.File}, {filepath.Join(t.TempDir(), "none")}} {
		_, err := Render(roots, nil)
		if err == nil || !strings.Contains(err.Error(), roots[0]) {
			t.Errorf("error %v, want one with %q", err, roots[0])
		}
	}
}

func TestNameAndVersion(t *testing.T) {
	m := module(t, "rules", rulesModule)
	if name, err := Name(m.File); name != "rules" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	for dep, want := range map[string]string{"lib": "2.0", "only_to_develop": "", "nothing": ""} {
		if got, err := Version(m.File, dep); got != want || err != nil {
			t.Errorf("version of %s: got %q, %v; want %q", dep, got, err, want)
		}
	}
	if _, err := Name(module(t, "x", "bazel_dep(name = \"y\")\n").File); err == nil {
		t.Error("no error for a module file without a name")
	}
}
