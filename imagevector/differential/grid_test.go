package differential

import (
	"fmt"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
)

// Constraints of real vectors, plausible ones and invalid ones.
func gridConstraints() []string {
	return []string{
		"1.20.x", "1.20", "= 1.20", "= 1.20.5", "1.20.5", "v1.20.5", "=1.20.5", ">= 1.20", ">=1.20", ">= 1.20-0", "< 1.22", "< 1.22-0", "> 1.33", "<= 1.33",
		">= 1.31 < 1.34", ">= 1.31, < 1.34", "1.31 || 1.33", "1.32 - 1.33", "~1.33", "~>1.33", "^1.30", "*", "x", "!= 1.33.2", "!=1.33", "!=*", "^*", "~*", ">*", "<*", "<=*",
		"= 1.20.0-rc.1", ">= 1.20.0-rc.1", "!= 1.20.0-rc.1", "1.x.5", "~0.0.0", "^0.2", "^0.0.3", "=>1.30", "=<1.30", "1.20.5+meta", "1.2.3.4", "", " ", "latest", "==1.20", "1.20,", "||",
	}
}

func gridVersions() []*string {
	list := []*string{nil}
	for _, v := range []string{
		"1.20.5", "v1.20.5", "1.20.0-rc.1", "1.22.0-alpha.1", "1.33.2", "1.33", "1", "0.0.0", "0.0.3", "0.2.9", "1.34.0", "1.30.0+gardener", "1.21.0~1", "1v.2v0.5", "", "v", "abc", "1.2.3.4", "01.020.5",
		"18446744073709551615.1.1", "18446744073709551616.1.1", "2.0.0", "vv1.20.5", "1.20.",
	} {
		list = append(list, &v)
	}
	return list
}

// Every constraint with every version, as runtime and as target version, for every
// list of architectures.
func TestGrid(t *testing.T) {
	architectures := [][]string{nil, {}, {"amd64"}, {"arm64"}, {"amd64", "arm64"}, {"arm64", "amd64"}, {"s390x"}, {"amd64", "amd64"}, {"riscv64", "arm64", ""}}
	wanted := []*string{nil, ptr("amd64"), ptr("arm64"), ptr("s390x"), ptr("")}
	lookups := 0
	ask := func(sources []imagevector.Source, l lookup) {
		t.Helper()
		v, err := imagevector.New(sources, imagevector.Compatible())
		if err != nil {
			t.Fatal(err)
		}
		lookups++
		if got, want := ourFinds(v, l), gardenerFinds(toGardener(sources), l); got != want {
			t.Errorf("%v in\n%s ours     %s\n Gardener %s", l, ourSources(sources, nil), got, want)
		}
	}
	for _, constraint := range gridConstraints() {
		for _, version := range gridVersions() {
			for i, list := range architectures {
				for j, arch := range wanted {
					entry := imagevector.Source{Name: "a", Repository: ptr("r/a"), Architectures: list}
					byRuntime, byTarget := entry, entry
					byRuntime.RuntimeVersion, byTarget.TargetVersion = &constraint, &constraint
					ask([]imagevector.Source{byRuntime}, lookup{"a", version, nil, arch})
					ask([]imagevector.Source{byTarget}, lookup{"a", nil, version, arch})
					if i+j == 0 {
						// With another entry, in either order.
						rival := imagevector.Source{Name: "a", Ref: ptr("r/rival:1"), TargetVersion: ptr(">= 1.21")}
						ask([]imagevector.Source{byTarget, rival}, lookup{"a", version, version, arch})
						ask([]imagevector.Source{rival, byRuntime}, lookup{"a", version, version, arch})
						ask([]imagevector.Source{byRuntime}, lookup{"b", version, version, arch})
					}
				}
			}
		}
	}
	if lookups < 50_000 {
		t.Errorf("%d lookups are too few", lookups)
	}
	t.Log(lookups, "lookups")
}

// The validation errors of every constraint are equal.
func TestGridOfTexts(t *testing.T) {
	for _, constraint := range gridConstraints() {
		for _, field := range []string{"runtimeVersion", "targetVersion", "version", "tag", "repository", "ref", "name"} {
			sameReading(t, fmt.Appendf(nil, "images:\n- name: a\n  repository: r\n  %s: %q\n", field, constraint))
			sameReading(t, fmt.Appendf(nil, "images:\n- %s: %s\n", field, constraint))
		}
	}
}
