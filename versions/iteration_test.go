package versions

import (
	"strings"
	"testing"
)

func TestChanged(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(withFallback))
	if err != nil {
		t.Fatal(err)
	}
	with, err := ParseLock("l.json", []byte(goodLock))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(goodLock) {
		if !strings.Contains(line, "patched") {
			lines = append(lines, line)
		}
	}
	without, err := ParseLock("l.json", []byte(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	if got := Changed(m, without, with); len(got) != 1 || got[0].Name() != "rke:v1.24.10-rancher3" {
		t.Errorf("changed: %v", got)
	}
	if got := Changed(m, with, with); len(got) != 0 {
		t.Errorf("changed: %v", got)
	}
	// An image that could not be built was not published.
	if got := Changed(m, NewLock(), with); len(got) != 0 {
		t.Errorf("changed: %v", got)
	}
}

func TestRaiseIterations(t *testing.T) {
	head, _, _ := strings.Cut(good, "releases:\n")
	for name, test := range map[string]struct{ old, want string }{
		"version":            {"  - v1.24.10\n", "  - {version: v1.24.10, iterations: {rke: 2}}\n"},
		"comment":            {"  - v1.24.10  # x\n", "  - {version: v1.24.10, iterations: {rke: 2}}  # x\n"},
		"similar versions":   {"  - v1.24.1\n  - v1.24.10\n", "  - v1.24.1\n  - {version: v1.24.10, iterations: {rke: 2}}\n"},
		"iteration":          {"  - {version: v1.24.10, iterations: {rke: 9}}\n", "  - {version: v1.24.10, iterations: {rke: 10}}\n"},
		"of another flavor":  {"  - {iterations: {hyperkube: 3}, version: v1.24.10}\n", "  - {version: v1.24.10, iterations: {hyperkube: 3, rke: 2}}\n"},
		"several lines":      {"  - version: v1.24.10\n    iterations: {rke: 2}\n", ""},
		"list in one line":   {"  [v1.24.10]\n", ""},
		"anchored elsewhere": {"  - &a v1.24.10\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := head + "releases:\n" + test.old
			m, err := ParseManifest("m.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			f := &m.Flavors[1]
			v := mustVersion(t, "v1.24.10")
			var iteration int
			for _, r := range m.Releases {
				if r.Version == v {
					iteration = f.revision(r).Iteration
				}
			}
			got, err := RaiseIterations("m.yaml", []byte(text), []Image{{Flavor: f, Version: v, Iteration: iteration}})
			switch {
			case test.want == "" && (err == nil || !strings.Contains(err.Error(), "Fix: ")):
				t.Errorf("got %q, %v; want an error with a fix", got, err)
			case test.want != "" && (err != nil || string(got) != head+"releases:\n"+test.want):
				t.Errorf("got %q, %v; want %q", strings.TrimPrefix(string(got), head), err, test.want)
			}
		})
	}
}

// Without an iteration in the tag, a changed image has no other tag.
func TestRaiseIterationsWithoutPlaceholder(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	image := Image{Flavor: &m.Flavors[0], Version: mustVersion(t, "v1.24.10"), Iteration: 1, Tag: "v1.24.10"}
	want := `m.yaml: raising the iteration of hyperkube:v1.24.10: its tag "{version}" has neither {iteration} nor {-iteration}`
	if _, err := RaiseIterations("m.yaml", []byte(good), []Image{image}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
