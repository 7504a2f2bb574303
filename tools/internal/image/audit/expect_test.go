package audit

import (
	"io"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

func TestFlavor(t *testing.T) {
	m := catalog(t).Manifest
	for _, test := range []struct{ repository, name, want string }{
		{"registry.example/kubectl", "", "kubectl"},
		{"registry.example/a/b/kubectl", "", "kubectl"},
		{"registry.example/debug/kubectl", "", "debug"},
		{"registry.example/debug/kubectl", "kubectl", "kubectl"},
		{"registry.example/other", "debug", "debug"},
		{"registry.example/mykubectl", "", ""},
		{"kubectl", "", ""},
		{"registry.example/kubectl", "none", ""},
	} {
		f, err := Flavor(m, test.repository, test.name)
		if test.want == "" {
			if cli.Code("", io.Discard, err) != cli.ExitUsage || !strings.Contains(err.Error(), "kubectl, debug") {
				t.Errorf("%q: got %v", test.repository, err)
			}
		} else if err != nil || f.Name != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.repository, f, err, test.want)
		}
	}
}

// Only images of the required versions must exist; others may.
func TestRequiredVersions(t *testing.T) {
	f := newFixture(t)
	c := catalog(t)
	f.push("v1.36.1", "x")
	f.push(c.Images[1].ContentTag, "x")
	required := func(s string) func(versions.Version) bool {
		t.Helper()
		match, err := versions.ParseConstraint(s)
		if err != nil {
			t.Fatal(err)
		}
		return match
	}
	var err error
	if f.audit.Expected, err = Expect(c, f.records, &c.Manifest.Flavors[0], required(">= 1.36.3"), nil); err != nil {
		t.Fatal(err)
	}
	r, err := f.audit.Run(t.Context(), quiet)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Kind != Missing || r.Findings[0].Tag != "v1.36.3" || r.Images != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, bad := range []struct{ constraint, pattern string }{{">= 1.37.0", ""}, {">= 1.36.0", "["}} {
		if _, err := Expect(c, f.records, &c.Manifest.Flavors[0], required(bad.constraint), []string{bad.pattern}); cli.Code("", io.Discard, err) != cli.ExitUsage {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}
