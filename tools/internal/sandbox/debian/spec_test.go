package debian

import "testing"

func TestSpecName(t *testing.T) {
	base := Spec{Suite: "bullseye", Packages: []string{"git", "gcc"}}
	if same := (Spec{Suite: "bullseye", Packages: []string{"gcc", "git", "gcc"}}); same.name() != base.name() {
		t.Errorf("names depend on the order of packages: %s, %s", base.name(), same.name())
	}
	if base.Packages[0] != "git" {
		t.Error("name reordered the packages of the spec")
	}
	for _, other := range []Spec{
		{Suite: "bookworm", Packages: base.Packages},
		{Suite: "bullseye", Packages: []string{"git"}},
		{Suite: "bullseye", Packages: base.Packages, Security: true},
	} {
		if other.name() == base.name() {
			t.Errorf("%+v and %+v share the name %s", base, other, base.name())
		}
	}
}

func TestSpecValidate(t *testing.T) {
	for _, good := range []Spec{{Suite: "forky"}, {Suite: "bullseye", Packages: []string{"libstdc++6", "gcc-aarch64-linux-gnu", "libc6:arm64"}}} {
		if err := good.validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []Spec{{}, {Suite: "../etc"}, {Suite: "--help"}, {Suite: "sid", Packages: []string{"git,gcc"}}, {Suite: "sid", Packages: []string{"./x.deb"}}, {Suite: "sid", Packages: []string{""}}} {
		if err := bad.validate(); err == nil {
			t.Errorf("%+v is valid", bad)
		}
	}
}
