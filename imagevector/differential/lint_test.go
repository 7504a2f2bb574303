package differential

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/imagevector/lint"
)

// An error from production: an overwrite with one entry for each name of Gardener's
// vector, with another repository and without constraints. If the entries of an image
// have constraints, Gardener pulls the public one. The linter reports exactly those
// entries, and its fixes are effective.
func TestLintAgreesWithGardener(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleDir(t, "github.com/gardener/gardener"), "imagevector/containers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, _, err := gardener.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	var over []imagevector.Source
	for _, s := range theirs {
		if !slices.ContainsFunc(over, func(o imagevector.Source) bool { return o.Name == s.Name }) {
			over = append(over, imagevector.Source{Name: s.Name, Repository: ptr("registry.example.com/mirror/" + *s.Repository)})
		}
	}
	const version = "1.34.2"
	// pulled are the names that Gardener still pulls from another registry.
	pulled := func(over []imagevector.Source) (names []string) {
		merged := gardener.MergeImageVectors(theirs, toGardener(over))
		for _, s := range over {
			image, err := merged.FindImage(s.Name, gardener.RuntimeVersion(version), gardener.TargetVersion(version))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(image.String(), "registry.example.com/") && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
		return names
	}
	within, err := imagevector.ParseVersions("1.33..1.36")
	if err != nil {
		t.Fatal(err)
	}
	run := func(over []imagevector.Source) (*lint.Report, []string) {
		r, err := lint.Run(lint.Config{
			Vector: text, VectorFile: "containers.yaml", Overwrite: imagevector.Render("", over, nil), OverwriteFile: "mine.yaml",
			Kubernetes: within, Private: []string{"registry.example.com"},
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range r.Entries {
			if e.Verdict == lint.Ineffective {
				names = append(names, e.Source.Name)
			}
		}
		return r, names
	}
	want := pulled(over)
	r, got := run(over)
	if len(want) < 3 || !slices.Equal(got, want) {
		t.Fatalf("without effect are %v; Gardener still pulls %v", got, want)
	}
	var fixed []imagevector.Source
	for _, e := range r.Entries {
		if e.Verdict == lint.Effective {
			fixed = append(fixed, e.Source)
		}
		fixed = append(fixed, e.Fix...)
	}
	if left := pulled(fixed); len(left) > 0 {
		t.Errorf("with the fixes, Gardener still pulls %v", left)
	}
	if r, bad := run(fixed); len(bad) > 0 || !r.Clean() {
		t.Errorf("with the fixes, without effect are %v", bad)
	}
}
