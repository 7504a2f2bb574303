package differential

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/imagevector"
)

var (
	vectors = flag.Int("vectors", 2_000, "random vectors to compare, each with an overwrite and a score of lookups")
	seed    = flag.Uint64("seed", 1, "seed of the random vectors")
)

// maker generates vectors of few names, constraints and versions, so that they
// overlap often.
type maker struct{ *rand.Rand }

func (m maker) maybe(list ...string) *string {
	if m.IntN(3) == 0 {
		return nil
	}
	return &list[m.IntN(len(list))]
}

func (m maker) constraint() *string {
	if m.IntN(3) == 0 {
		return nil
	}
	if m.IntN(4) == 0 {
		s := fmt.Sprintf("%s%s1.%d%s", []string{"", "=", ">=", "<", "~", "^", "!=", ">", "<="}[m.IntN(9)], []string{"", " "}[m.IntN(2)], 29+m.IntN(5), []string{"", ".x", ".0", ".2", "-0", ".1-rc.1"}[m.IntN(6)])
		if m.IntN(3) == 0 {
			s += []string{" ", ", ", " || "}[m.IntN(3)] + fmt.Sprintf("< 1.%d", 30+m.IntN(4))
		}
		return &s
	}
	if constraints := gridConstraints(); m.IntN(16) == 0 {
		return &constraints[m.IntN(len(constraints))]
	}
	return m.maybe(">= 1.29", "< 1.33", ">= 1.30", "1.30.x", "= 1.30.2", "1.31.0", "< 1.32")
}

func (m maker) source() imagevector.Source {
	s := imagevector.Source{Name: []string{"a", "b"}[m.IntN(2)], RuntimeVersion: m.constraint(), TargetVersion: m.constraint(), Version: m.maybe("1", "2", "")}
	switch m.IntN(8) {
	case 0:
	case 1:
		s.Architectures = []string{}
	case 2, 3:
		s.Architectures = []string{"amd64"}
	case 4:
		s.Architectures = []string{"arm64"}
	case 5:
		s.Architectures = []string{"amd64", "arm64"}
	case 6:
		s.Architectures = []string{"arm64", "amd64"}
	case 7:
		s.Architectures = []string{"amd", "64arm64", "s390x"}
	}
	if m.IntN(4) == 0 {
		s.Ref = m.maybe("r/a:1", "r/b@sha256:12", "")
	}
	if s.Ref == nil || m.IntN(9) == 0 {
		s.Repository, s.Tag = m.maybe("r/a", "r/b", ""), m.maybe("v1", "v2", "sha256:12", "v1@sha256:12", "")
	}
	return s
}

func (m maker) sources(most int) []imagevector.Source {
	list := make([]imagevector.Source, m.IntN(most+1))
	for i := range list {
		if list[i] = m.source(); i > 0 && m.IntN(5) == 0 {
			// The key of another entry, so that they merge.
			other := list[m.IntN(i)]
			list[i].Name, list[i].RuntimeVersion, list[i].TargetVersion, list[i].Architectures = other.Name, other.RuntimeVersion, other.TargetVersion, other.Architectures
		}
	}
	return list
}

func (m maker) lookup() lookup {
	versions := gridVersions()
	version := func() *string {
		if m.IntN(8) > 0 {
			return ptr(fmt.Sprintf("1.%d.%d", 29+m.IntN(5), m.IntN(4)))
		}
		return versions[m.IntN(len(versions))]
	}
	l := lookup{"aaaabbbc"[m.IntN(8):][:1], version(), version(), m.maybe("amd64", "arm64", "s390x")}
	if m.IntN(3) == 0 {
		l.target = l.runtime
	}
	return l
}

// Random vectors, overwrites and lookups.
func TestRandom(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(*seed, 7))}
	lookups, found := 0, 0
	for range *vectors {
		base, over := m.sources(12), m.sources(6)
		theirs, theirOver := toGardener(base), toGardener(over)
		merged := gardener.MergeImageVectors(theirs, theirOver)
		ours := imagevector.Merge(base, over)
		if got, want := ourSources(ours, nil), gardenerSources(merged, nil); got != want {
			t.Fatalf("overwriting\n%s with\n%s\nours:\n%s\nGardener:\n%s", ourSources(base, nil), ourSources(over, nil), got, want)
		}
		v, err := imagevector.New(base, imagevector.Compatible())
		if err != nil {
			t.Fatal(err)
		}
		o, err := imagevector.New(over, imagevector.Compatible())
		if err != nil {
			t.Fatal(err)
		}
		overwritten := v.Overwrite(o)
		for range 10 {
			l := m.lookup()
			for _, pair := range []struct {
				ours   *imagevector.Vector
				theirs gardener.ImageVector
			}{{v, theirs}, {overwritten, merged}} {
				lookups++
				got, want := ourFinds(pair.ours, l), gardenerFinds(pair.theirs, l)
				if got != want {
					t.Fatalf("%v in\n%s ours     %s\n Gardener %s", l, gardenerSources(pair.theirs, nil), got, want)
				}
				if got[0] == '"' {
					found++
				}
			}
		}
		// As a file, invalid sources have the same error text.
		sameReading(t, imagevector.Render("", base, nil))
		if t.Failed() {
			return
		}
	}
	if found < lookups/10 {
		t.Errorf("%d of %d lookups found an image, want more", found, lookups)
	}
	t.Logf("%d lookups, %d of them found an image", lookups, found)
}
