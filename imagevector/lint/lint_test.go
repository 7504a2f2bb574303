package lint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
)

const base = `images:
- name: pause
  repository: registry.k8s.io/pause
  tag: "3.4"
  targetVersion: 1.20.x
  architectures: [amd64, arm64]
- name: pause
  repository: registry.k8s.io/pause
  tag: "3.5"
  targetVersion: ">= 1.21"
  architectures: [amd64, arm64]
- name: hyperkube
  repository: example.com/hyperkube
- name: arm-only
  repository: quay.io/x/arm
  tag: v1
  architectures: [arm64]
- name: exact
  repository: gcr.io/x/exact
  tag: v1
- name: exact
  repository: gcr.io/x/exact
  tag: v2
  targetVersion: "= 1.30.2"
- name: ref
  ref: docker.io/x/ref:1
`

func versions(t *testing.T, text string) imagevector.Versions {
	t.Helper()
	v, err := imagevector.ParseVersions(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func lint(t *testing.T, vector, over, kubernetes string) *Report {
	t.Helper()
	r, err := Run(Config{Vector: []byte(vector), Overwrite: []byte(over), VectorFile: "images.yaml", OverwriteFile: "mine.yaml", Kubernetes: versions(t, kubernetes)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name, over string // one entry
		verdict    Verdict
		effects    string // versions and architectures
		why        string // part of the reasons; "" for none
		fix        string // keys of the fixes
	}{
		{"the same key", `{name: pause, repository: m/pause, targetVersion: ">= 1.21", architectures: [amd64, arm64]}`, Effective, "1.21.0..1.36.x amd64, 1.21.0..1.36.x arm64", "", ""},
		{"no constraints on either side", `{name: hyperkube, repository: m/hyperkube}`, Effective, "1.19.0..1.36.x amd64, 1.19.0..1.36.x arm64", "", ""},
		{
			"constraint in other words", `{name: pause, repository: m/pause, targetVersion: ">=1.21", architectures: [amd64, arm64]}`, Ineffective, "",
			`targetVersion differs: ">=1.21" here, ">= 1.21" at images.yaml:7:3; they are equivalent, but compared as text`, ">= 1.21 [amd64 arm64]",
		},
		{
			"who wins, and why", `{name: pause, repository: m/pause, targetVersion: ">=1.21", architectures: [amd64, arm64]}`, Ineffective, "",
			`for Kubernetes 1.21.0..1.36.x on amd64 and arm64, the entry at images.yaml:7:3 is chosen: both have score 2, and it comes first`, ">= 1.21 [amd64 arm64]",
		},
		{
			"architectures in another order", `{name: pause, repository: m/pause, targetVersion: 1.20.x, architectures: [arm64, amd64]}`, Ineffective, "",
			`the order of architectures differs: ["arm64" "amd64"] here, ["amd64" "arm64"] at images.yaml:2:3`, "1.20.x [amd64 arm64]",
		},
		{
			"architectures left out", `{name: pause, repository: m/pause, targetVersion: 1.20.x}`, Ineffective, "",
			`architectures are missing here and are ["amd64" "arm64"] at images.yaml:2:3; they are equivalent, but compared as text`, "1.20.x [amd64 arm64]",
		},
		{
			"no constraint", `{name: pause, repository: m/pause, architectures: [amd64, arm64]}`, Partial, "1.19.x amd64, 1.19.x arm64",
			`targetVersion is missing here and is "1.20.x" at images.yaml:2:3`, "1.20.x [amd64 arm64], >= 1.21 [amd64 arm64]",
		},
		{"constraint on the other version", `{name: pause, repository: m/pause, runtimeVersion: 1.20.x, architectures: [amd64, arm64]}`, Partial, "1.20.x amd64, 1.20.x arm64", // of runtime versions that differ from the target version
			`runtimeVersion is "1.20.x" here and missing at images.yaml:2:3`, "1.20.x [amd64 arm64]"},
		{
			"constraint in version", `{name: pause, repository: m/pause, tag: x, version: ">= 1.21"}`, Partial, "1.19.x amd64, 1.19.x arm64",
			`version ">= 1.21" is not a constraint here, but a constraint of the entry at images.yaml:7:3`, ">= 1.21 [amd64 arm64]",
		},
		{"single architecture wins", `{name: pause, repository: m/pause, targetVersion: ">=1.21", architectures: [arm64]}`, Effective, "1.21.0..1.36.x arm64", "", ""},
		{"exact version wins", `{name: hyperkube, repository: m/hyperkube, targetVersion: "= 1.30.2"}`, Effective, "1.30.2 amd64, 1.30.2 arm64", "", ""},
		{
			"beaten by an exact version", `{name: exact, repository: m/exact, targetVersion: ">= 1.30"}`, Partial, "1.30.0..1.30.1, 1.30.3..1.36.x amd64, 1.30.0..1.30.1, 1.30.3..1.36.x arm64",
			`for Kubernetes 1.30.2 on amd64 and arm64, the entry at images.yaml:21:3 is chosen: it has score 3, this one 2`, "= 1.30.2 []",
		},
		{"merged, and beaten elsewhere", `{name: exact, repository: m/exact}`, Effective, "1.19.0..1.30.1, 1.30.3..1.36.x amd64, 1.19.0..1.30.1, 1.30.3..1.36.x arm64", "", ""},
		{"nothing new", `{name: hyperkube, repository: example.com/hyperkube}`, Ineffective, "", "it does not change the entry at images.yaml:12:3", ""},
		{"nothing new, and with another key", `{name: exact, repository: gcr.io/x/exact, tag: v2, targetVersion: '=1.30.2'}`, Ineffective, "", "merged, it would not change the entry at images.yaml:21:3", ""},
		{"a name that is wrong", `{name: hyperkub, repository: m/hyperkube}`, Ineffective, "", `images.yaml has no image of this name, so Gardener does not look it up; did you mean "hyperkube"?`, ""},
		{"out of range", `{name: hyperkube, repository: m/hyperkube, targetVersion: ">= 1.37"}`, Elsewhere, ">= 1.37.0 amd64, >= 1.37.0 arm64", "", ""},
		{"out of range, and never chosen", `{name: pause, repository: m/pause, targetVersion: ">=1.37", architectures: [amd64, arm64]}`, Ineffective, "", `it does not match Kubernetes 1.19.0..1.36.x on amd64 or arm64: it is for targetVersion ">=1.37"`, ""},
		{"architecture that has none yet", `{name: arm-only, repository: m/arm, architectures: [amd64]}`, Effective, "1.19.0..1.36.x amd64", "", ""},
		{"ref", `{name: ref, repository: m/ref, tag: "1"}`, Effective, "1.19.0..1.36.x amd64, 1.19.0..1.36.x arm64", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := lint(t, base, "images:\n- "+tt.over+"\n", "1.19..1.36").Entries[0]
			if e.Verdict != tt.verdict {
				t.Errorf("verdict %q, want %q: %q", e.Verdict, tt.verdict, e.Reasons)
			}
			var effects, fixes []string
			for _, f := range e.Effects {
				effects = append(effects, fmt.Sprint(f.Versions, " ", f.Architecture))
			}
			if got := strings.Join(effects, ", "); got != tt.effects {
				t.Errorf("effects %s, want %s", got, tt.effects)
			}
			if why := strings.Join(e.Reasons, "\n"); !strings.Contains(why, tt.why) || tt.why == "" && why != "" {
				t.Errorf("why:\n%s\nwant: %s", why, tt.why)
			}
			for _, f := range e.Fix {
				fixes = append(fixes, fmt.Sprintf("%s %v", *f.TargetVersion, f.Architectures))
			}
			if got := strings.Join(fixes, ", "); got != tt.fix {
				t.Errorf("fixes %s, want %s", got, tt.fix)
			}
		})
	}
}

func TestReplacedEntries(t *testing.T) {
	r := lint(t, base, "images:\n- {name: hyperkube, repository: m/a}\n- {name: hyperkube, repository: m/b}\n", "1.30")
	if e := r.Entries[0]; e.Verdict != Ineffective || !strings.Contains(e.Reasons[0], "the entry at mine.yaml:3:3 has the same name, constraints and architectures") {
		t.Errorf("the first entry: %+v", e)
	}
	if r.Entries[1].Verdict != Effective || r.Clean() || len(r.OverwriteProblems) != 1 {
		t.Errorf("the second entry: %+v, problems %v", r.Entries[1], r.OverwriteProblems)
	}
	// The tag of the first entry is still in effect.
	r = lint(t, base, "images:\n- {name: hyperkube, repository: m/a, tag: v1}\n- {name: hyperkube, repository: m/b}\n", "1.30")
	if r.Entries[0].Verdict != Effective {
		t.Errorf("a tag that is not replaced: %+v", r.Entries[0])
	}
}

// The generation is detected from both files.
func TestGeneration(t *testing.T) {
	oldest, current := "images:\n- {name: a, repository: quay.io/a, version: '>= 1.21'}\n", "images:\n- {name: a, repository: m/a, targetVersion: '>= 1.21'}\n"
	for _, tt := range []struct {
		vector, over string
		want         imagevector.Generation
	}{{oldest, oldest, imagevector.Oldest}, {oldest, current, imagevector.Current}, {current, oldest, imagevector.Current}, {base, base, imagevector.Current}} {
		if r := lint(t, tt.vector, tt.over, "1.30"); r.Generation != tt.want {
			t.Errorf("%s with %s: generation %v, want %v", tt.vector, tt.over, r.Generation, tt.want)
		}
	}
}

// An entry for architectures that are not in use is no violation.
func TestOtherArchitectures(t *testing.T) {
	for over, want := range map[string]Verdict{
		"{name: arm-only, repository: m/arm, architectures: [arm64]}":                      Elsewhere,
		"{name: hyperkube, repository: m/arm, architectures: [arm64]}":                     Elsewhere,
		"{name: hyperkube, repository: m/arm}":                                             Effective,
		"{name: hyperkube, repository: m/arm, architectures: []}":                          Ineffective,
		"{name: hyperkube, repository: m/arm, architectures: [arm64, amd64]}":              Ineffective,
		"{name: pause, repository: m/p, architectures: [arm64], targetVersion: '>= 1.21'}": Elsewhere,
	} {
		r, err := Run(Config{Vector: []byte(base), Overwrite: []byte("images:\n- " + over + "\n"), Kubernetes: versions(t, "1.30"), Architectures: []string{"amd64"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Entries[0].Verdict; got != want {
			t.Errorf("%s: verdict %q, want %q", over, got, want)
		}
	}
}

// A lower score than that of an overwritten entry is no violation.
func TestScoreOfOverwrittenEntry(t *testing.T) {
	r := lint(t, base, "images:\n- {name: exact, repository: m/exact, targetVersion: '>= 1.30'}\n- {name: exact, repository: m/exact, targetVersion: '= 1.30.2'}\n", "1.19..1.36")
	if !r.Clean() {
		t.Errorf("got %+v", r.Entries)
	}
}

// The documentation of Gardener, old and current, has overwrites without effect.
func TestGardenerDocumentation(t *testing.T) {
	today := "images:\n- {name: pause-container, repository: my-custom-image-registry/pause, tag: '3.4', version: 1.20.x}\n- {name: pause-container, ref: 'my-custom-image-registry/pause:3.5', version: '>= 1.21'}\n"
	for name, vector := range map[string]string{
		"oldest": "images:\n- {name: pause-container, repository: registry.k8s.io/pause, tag: '3.4', version: 1.20.x, architectures: [amd64]}\n- {name: pause-container, repository: registry.k8s.io/pause, tag: '3.5', version: '>= 1.21', architectures: [amd64]}\n",
		"today":  "images:\n- {name: pause-container, repository: registry.k8s.io/pause, tag: '3.4', targetVersion: 1.20.x, architectures: [amd64, arm64]}\n- {name: pause-container, ref: 'registry.k8s.io/pause:3.5', targetVersion: '>= 1.21', architectures: [amd64, arm64]}\n",
	} {
		r := lint(t, vector, today, "1.20..1.36")
		if r.Clean() || slices.ContainsFunc(r.Entries, func(e Entry) bool { return e.Verdict == Effective }) {
			t.Errorf("%s: %+v", name, r.Entries)
		}
		if len(r.Public) == 0 || !slices.ContainsFunc(r.Public, func(p Public) bool { return p.Registry == "registry.k8s.io" }) {
			t.Errorf("%s: public are %+v", name, r.Public)
		}
	}
}

// An entry without constraint, for an image whose entries all have one, has no effect.
func TestMissingConstraints(t *testing.T) {
	vector := "images:\n"
	for minor := 30; minor < 34; minor++ {
		vector += fmt.Sprintf("- {name: cluster-autoscaler, repository: registry.k8s.io/autoscaling/cluster-autoscaler, tag: v1.%d.0, targetVersion: '1.%d.x'}\n", minor, minor)
	}
	r := lint(t, vector, "images:\n- {name: cluster-autoscaler, repository: keppel.example.com/cluster-autoscaler}\n", "1.30..1.33")
	if e := r.Entries[0]; e.Verdict != Ineffective || len(e.Fix) != 4 {
		t.Errorf("got %+v", e)
	}
	if len(r.Public) != 4 {
		t.Errorf("%d images are public, want 4", len(r.Public))
	}
}

func TestPublic(t *testing.T) {
	over := "images:\n- {name: ref, repository: m.example.com/ref, tag: '1'}\n- {name: hyperkube, repository: my-registry/hyperkube}\n- {name: none, repository: quay.io/none}\n"
	list := func(private ...string) string {
		r, err := Run(Config{Vector: []byte(base), Overwrite: []byte(over), VectorFile: "images.yaml", OverwriteFile: "mine.yaml", Kubernetes: versions(t, "1.30"), Private: private})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range r.Public {
			out = append(out, p.Registry+" "+p.Name)
		}
		return strings.Join(out, ", ")
	}
	// Without a dot, my-registry is a path at docker.io. The first entry of pause is
	// for none of these versions, but chosen in lookups without a version.
	if got, want := list(), "docker.io hyperkube, gcr.io exact, gcr.io exact, quay.io arm-only, registry.k8s.io pause, registry.k8s.io pause"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := list("m.example.com", "docker.io/my-registry/", "gcr.io/x", "quay.io/x/ar"), "quay.io arm-only, registry.k8s.io pause, registry.k8s.io pause"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for registry, want := range map[string]bool{"registry.k8s.io": true, "eu.gcr.io": true, "europe-docker.pkg.dev": true, "notgcr.io": false, "registry.example.com": false, "localhost:5000": false} {
		if isWellKnown(registry) != want {
			t.Errorf("%s is public: %v", registry, !want)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	_, err := Run(Config{Vector: []byte("images: ["), Overwrite: []byte("images: []"), VectorFile: "images.yaml"})
	if err == nil || err.Error() != `reading image vector "images.yaml" as Gardener does: images.yaml:1: reading YAML: did not find expected node content` {
		t.Errorf("got %v", err)
	}
	_, err = Run(Config{Vector: []byte("images: []"), Overwrite: []byte("images: [{name: a}]"), OverwriteFile: "mine.yaml"})
	var problems imagevector.Problems
	if !errors.As(err, &problems) || problems[0].Line != 1 || problems[0].Column != 10 {
		t.Errorf("got %v", err)
	}
}

// Fixes are effective, and verdicts agree with single lookups.
func TestFixesAreEffective(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	entry := func(repository string) imagevector.Source {
		s := imagevector.Source{Name: "a", Repository: &repository}
		constraint := func() *string {
			if r.IntN(3) == 0 {
				return nil
			}
			c := pick(">= 1.30", ">=1.30", "1.30.x", "1.30", "= 1.30.2", "< 1.31", "<1.31", "1.31.x")
			return &c
		}
		s.TargetVersion = constraint()
		if r.IntN(4) == 0 {
			s.RuntimeVersion = constraint()
		}
		switch r.IntN(6) {
		case 0:
			s.Architectures = []string{"amd64"}
		case 1:
			s.Architectures = []string{"amd64", "arm64"}
		case 2:
			s.Architectures = []string{"arm64", "amd64"}
		}
		return s
	}
	fixed := 0
	for range 1_500 {
		var vector []imagevector.Source
		for i := range 1 + r.IntN(4) {
			vector = append(vector, entry(fmt.Sprintf("registry.k8s.io/%d", i)))
		}
		over := []imagevector.Source{entry("m.example.com/a")}
		text := string(imagevector.Render("", vector, nil))
		e := lint(t, text, string(imagevector.Render("", over, nil)), "1.29..1.32").Entries[0]
		changes := changes(t, vector, over)
		if (e.Verdict == Ineffective) == changes {
			t.Fatalf("%s with %+v: verdict %q, lookups change: %v", text, over[0], e.Verdict, changes)
		}
		if e.Verdict == Effective || len(e.Fix) == 0 {
			continue
		}
		fixed++
		for i, again := range lint(t, text, string(imagevector.Render("", e.Fix, nil)), "1.29..1.32").Entries {
			if again.Verdict != Effective {
				t.Fatalf("%s with %+v: fix %d has verdict %q: %q", text, over[0], i, again.Verdict, again.Reasons)
			}
		}
	}
	if fixed < 200 {
		t.Errorf("%d fixes are too few", fixed)
	}
}

// changes reports whether an overwrite changes any lookup, by trying all.
func changes(t *testing.T, vector, over []imagevector.Source) bool {
	t.Helper()
	ask := func(sources []imagevector.Source) (images []string) {
		v, err := imagevector.New(sources, imagevector.Compatible())
		if err != nil {
			t.Fatal(err)
		}
		given := []string{"", "1.29.0", "1.30.0", "1.30.2", "1.31.0", "1.32.0"}
		for _, arch := range []string{"amd64", "arm64"} {
			for _, runtime := range given {
				for _, target := range given {
					opts := []imagevector.FindOption{imagevector.Architecture(arch)}
					if runtime != "" {
						opts = append(opts, imagevector.RuntimeVersion(runtime))
					}
					if target != "" {
						opts = append(opts, imagevector.TargetVersion(target))
					}
					image, _ := v.Find("a", opts...)
					images = append(images, image.String())
				}
			}
		}
		return images
	}
	return !slices.Equal(ask(imagevector.Merge(vector)), ask(imagevector.Merge(vector, over)))
}

func Example() {
	r, err := Run(Config{
		Vector:     []byte("images:\n- name: pause\n  repository: registry.k8s.io/pause\n  tag: '3.5'\n  targetVersion: '>= 1.21'\n"),
		Overwrite:  []byte("images:\n- name: pause\n  repository: registry.example.com/pause\n  targetVersion: '>=1.21'\n"),
		VectorFile: "images.yaml", OverwriteFile: "mine.yaml",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range r.Entries {
		fmt.Printf("%v: %s\n", e.Source.Position, e.Verdict)
		for _, why := range e.Reasons {
			fmt.Println(" ", why)
		}
		for _, fix := range e.Fix {
			fmt.Print(imagevector.RenderSource(fix))
		}
	}
	// Output:
	// mine.yaml:2:3: no effect
	//   it is added instead of merged: no entry of this name has the same text of constraints and architectures
	//   for Kubernetes >= 1.21.0 on amd64 and arm64, the entry at images.yaml:2:3 is chosen: both have score 2, and it comes first
	//   targetVersion differs: ">=1.21" here, ">= 1.21" at images.yaml:2:3; they are equivalent, but compared as text
	// - name: pause
	//   repository: registry.example.com/pause
	//   targetVersion: ">= 1.21"
}
