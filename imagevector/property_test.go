package imagevector

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector/internal/span"
)

// randomSources returns entries of one name whose constraints overlap often.
func randomSources(r *rand.Rand, most int) []Source {
	constraints := []string{">= 1.30", "< 1.32", "1.30.x", "1.31.x", "= 1.30.2", "1.31.0", "!= 1.31.0", ">= 1.30, < 1.32", "*", "1.30 || 1.32", "> 1.31", "= 1.30.0-rc.1"}
	constraint := func() *string {
		if r.IntN(3) == 0 {
			return nil
		}
		return &constraints[r.IntN(len(constraints))]
	}
	list := make([]Source, 1+r.IntN(most))
	for i := range list {
		repository := fmt.Sprintf("r/%d", r.IntN(3))
		list[i] = Source{Name: "a", Repository: &repository, RuntimeVersion: constraint(), TargetVersion: constraint()}
		switch r.IntN(8) {
		case 0, 1:
			list[i].Tag = &[]string{"v1.30.2", "v1.31.1", "1.30.2", "v1.30"}[r.IntN(4)]
		case 2: // differs from the image of "r/0" without a tag
			list[i].Ref, list[i].Repository = list[i].Repository, nil
		}
		switch r.IntN(5) {
		case 0:
			list[i].Architectures = []string{arm64}
		case 1:
			list[i].Architectures = []string{amd64, arm64}
		}
	}
	return list
}

// sampleVersions returns a version of every class of the random constraints.
func sampleVersions() []string {
	return []string{"0.0.0", "1.29.9", "1.30.0", "1.30.1", "1.30.2", "1.30.3", "1.30.99", "1.31.0", "1.31.1", "1.32.0", "1.32.5", "1.33.0", "2.0.0"}
}

func vectorOf(t testing.TB, sources []Source) *Vector {
	t.Helper()
	v, err := New(sources, Compatible())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// asked returns the options of a lookup in a mode.
func asked(mode LookupMode, runtime, target, architecture string) []FindOption {
	opts := []FindOption{Architecture(architecture)}
	if mode == SameVersion || mode == TwoVersions || mode == RuntimeOnly {
		opts = append(opts, RuntimeVersion(runtime))
	}
	if mode == SameVersion {
		target = runtime
	}
	if mode == SameVersion || mode == TwoVersions || mode == TargetOnly {
		opts = append(opts, TargetVersion(target))
	}
	return opts
}

// pulled returns the image of a single lookup.
func pulled(t testing.TB, v *Vector, opts []FindOption) string {
	t.Helper()
	var none *NotFoundError
	image, err := v.Find("a", opts...)
	if err != nil && !errors.As(err, &none) {
		t.Fatal(err)
	}
	return image.String()
}

// chosenIndex returns the index of the entry that a single lookup chooses.
func chosenIndex(t testing.TB, v *Vector, opts []FindOption) int {
	t.Helper()
	candidates, err := v.Explain("a", opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range candidates {
		if c.Chosen {
			return c.Index
		}
	}
	return -1
}

// The results for ranges agree with those of single lookups.
func TestRangesAgreeWithLookups(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	within := AllVersions()
	for range 150 {
		before, after := vectorOf(t, randomSources(r, 6)), vectorOf(t, randomSources(r, 6))

		chosen := make([]bool, before.Len())
		for _, architecture := range []string{amd64, arm64} {
			differences, err := Compare(before, after, within, []string{architecture}, LookupModes()...)
			if err != nil {
				t.Fatal(err)
			}
			choices := before.Choices("a", architecture, within)
			for _, runtime := range sampleVersions() {
				for _, target := range sampleVersions() {
					for _, mode := range LookupModes() {
						opts := asked(mode, runtime, target, architecture)
						a, b := chosenIndex(t, before, opts), chosenIndex(t, after, opts)
						if a >= 0 {
							chosen[a] = true
						}
						if mode == SameVersion {
							i := slices.IndexFunc(choices, func(c Choice) bool { return c.Versions.Contains(runtime) })
							if i < 0 || choices[i].Entry != a {
								t.Fatalf("%s: Choices has %+v for %s on %s, a lookup chooses %d", show(before), choices, runtime, architecture, a)
							}
						}
						found := slices.ContainsFunc(differences, func(d Difference) bool {
							in := func(given bool, v Versions, version string) bool { return !given || v.Contains(version) }
							return d.Mode == mode && d.Before == a && d.After == b && in(mode != TargetOnly && mode != NoVersion, d.Runtime, runtime) &&
								(mode == SameVersion || in(mode == TwoVersions || mode == TargetOnly, d.Target, target))
						})
						// For two versions, each set is independent of the other version.
						if differ := pulled(t, before, opts) != pulled(t, after, opts); differ && !found || !differ && found && mode != TwoVersions {
							t.Fatalf("%s\n%s: %v, runtime %s, target %s on %s: chosen %d and %d, Compare has it %v", show(before), show(after), mode, runtime, target, architecture, a, b, found)
						}
					}
				}
			}
		}
		never := before.neverChosen()
		for i, yes := range chosen {
			if never[i] == yes {
				t.Fatalf("%s: entry %d is chosen %v, neverChosen says %v", show(before), i, yes, never[i])
			}
		}
	}
}

// An invalid constraint has no effect on lookups without the version.
func TestCompareWithBrokenConstraint(t *testing.T) {
	broken := vectorOf(t, []Source{{Name: "a", Repository: text("r"), RuntimeVersion: text("latest")}})
	for s, want := range map[LookupMode]int{TargetOnly: 1, NoVersion: 1, RuntimeOnly: 0, SameVersion: 0, TwoVersions: 0} {
		differences, err := Compare(vectorOf(t, nil), broken, AllVersions(), []string{amd64}, s)
		if err != nil || len(differences) != want {
			t.Errorf("%v: %d differences, %v, want %d", s, len(differences), err, want)
		}
	}
}

func show(v *Vector) string { return string(Render("", v.Sources(), nil)) }

// Ties and missing images agree with the scores of Explain.
func TestTiesAgreeWithScores(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		v := vectorOf(t, randomSources(r, 6))
		for _, c := range v.Choices("a", amd64, AllVersions()) {
			for _, version := range sampleVersions() {
				if !c.Versions.Contains(version) {
					continue
				}
				candidates, err := v.Explain("a", RuntimeVersion(version), TargetVersion(version))
				if err != nil {
					t.Fatal(err)
				}
				best := 0
				for _, k := range candidates {
					best = max(best, k.Score)
				}
				var tied []int
				for _, k := range candidates {
					if k.Matches && k.Score == best && !k.Chosen {
						tied = append(tied, k.Index)
					}
				}
				if !slices.Equal(tied, c.Tied) {
					t.Fatalf("%s: for %s, tied are %v, Choices has %v", show(v), version, tied, c.Tied)
				}
			}
		}
	}
}

// The classes cover the versions, in order, without overlap.
func TestClasses(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 500 {
		v := vectorOf(t, randomSources(r, 5))
		within, err := ParseVersions([]string{"1.29..1.33", "1.30.1", "1.30.1,1.31", "0.0.0..2.0"}[r.IntN(4)])
		if err != nil {
			t.Fatal(err)
		}
		parts := classes(v.byName["a"], bothCuts, within.set)
		if !span.Of(parts...).Equal(within.set) {
			t.Fatalf("%v is cut into %v", within, parts)
		}
		for i := 1; i < len(parts); i++ {
			if !parts[i-1].Last.Less(parts[i].First) {
				t.Fatalf("%v and %v overlap", parts[i-1], parts[i])
			}
		}
	}
}
