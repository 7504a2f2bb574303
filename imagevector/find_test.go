package imagevector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// text returns an optional string.
func text(s string) *string { return &s }

func TestConstraints(t *testing.T) {
	for _, tt := range []struct {
		version, constraint string
		want                bool
	}{
		{"1.20.5", "1.20.x", true},
		{"1.20.5", "1.20", true},
		{"1.20.5", "= 1.20", true},
		{"1.20.0-rc.1", ">= 1.20", true},
		{"1.20.0-rc.1", ">= 1.20-0", true},
		{"1.22.0-alpha.1", "< 1.22", false},
		{"1.33.2", "> 1.33", false},
		{"1.33.2", "<= 1.33", true},
		{"1.33.2", ">= 1.31 < 1.34", true},
		{"1.33.2", "1.31 || 1.33", true},
		{"1.33.2", "1.32 - 1.33", true},
		{"1.33.2", "~1.33", true},
		{"1.33.2", "^1.30", true},
		{"1.33.2", "*", true},
		{"v1.33.2", "= 1.33.2", true},
		{"1.33.2+gardener", "= 1.33.2", true},
		{"1.33.2~1", "1.33.2", true},
	} {
		v := vectorOf(t, []Source{{Name: "a", Repository: text("r"), TargetVersion: &tt.constraint}})
		for _, opt := range []FindOption{TargetVersion(tt.version), RuntimeVersion(tt.version)} {
			_, err := v.Find("a", opt)
			want := tt.want || opt.kind == runtimeVersion // no constraint on that one
			if (err == nil) != want {
				t.Errorf("version %q for %q: error %v", tt.version, tt.constraint, err)
			}
		}
	}
}

func TestFind(t *testing.T) {
	data := []byte(`
images:
- name: any
  repository: example.com/any
  tag: v1
- name: scores
  repository: example.com/any
- name: scores
  repository: example.com/series
  targetVersion: 1.30.x
- name: scores
  repository: example.com/exact
  targetVersion: = 1.30.2
- name: scores
  repository: example.com/arm
  targetVersion: 1.30.x
  architectures: [arm64]
- name: scores
  repository: example.com/both
  runtimeVersion: ">= 1.29"
  targetVersion: 1.31.x
- name: ref
  ref: example.com/ref:1
  version: v7
- name: digest
  repository: example.com/digest
  tag: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
- name: arm
  repository: example.com/arm
  architectures: [arm64]
`)
	strict, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	compatible, err := Parse(data, Compatible())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                  string
		runtime, target, arch string
		want                  string // image, or error
	}{
		{"any", "", "", "", "example.com/any:v1"},
		{"any", "1.30.2", "1.30.2", "arm64", "example.com/any:v1"},
		{"scores", "", "", "", "example.com/any"},
		{"scores", "", "1.29.0", "", "example.com/any:v1.29.0"},
		{"scores", "", "vv1.29.0", "", "example.com/any:v1.29.0"},
		{"scores", "", "1.29.0+x", "", "example.com/any:v1.29.0+x"},
		{"scores", "", "1.30.1", "", "example.com/series:v1.30.1"},
		{"scores", "", "1.30.2", "", "example.com/exact:v1.30.2"},
		{"scores", "", "1.30.2", "arm64", "example.com/exact:v1.30.2"}, // 2+1 and 1+2: the first
		{"scores", "", "1.30.1", "arm64", "example.com/arm:v1.30.1"},
		{"scores", "1.29.0", "1.31.0", "", "example.com/both:v1.31.0"},
		{"scores", "1.28.0", "1.31.0", "", "example.com/any:v1.31.0"},
		{"ref", "", "1.30.2", "", "example.com/ref:1"},
		{"digest", "", "1.30.2", "", "example.com/digest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		{"arm", "", "", "", `could not find image "arm" opts `},
		{"arm", "", "", "arm64", "example.com/arm"},
		{"arm", "1.30.2", "1.31.0", "amd64", `could not find image "arm" opts runtime version 1.30.2 target version 1.31.0 architecture amd64`},
		{"arm", "1.30.2", "", "", `could not find image "arm" opts runtime version 1.30.2 `},
		{"none", "", "1.31.0", "", `could not find image "none" opts target version 1.31.0 `},
	} {
		var opts []FindOption
		if tt.runtime != "" {
			opts = append(opts, RuntimeVersion(tt.runtime))
		}
		if tt.target != "" {
			opts = append(opts, TargetVersion(tt.target))
		}
		if tt.arch != "" {
			opts = append(opts, Architecture(tt.arch))
		}
		for mode, v := range map[string]*Vector{"strict": strict, "compatible": compatible} {
			for range 2 { // the second time, the tag is cached
				image, err := v.Find(tt.name, opts...)
				got := image.String()
				if err != nil {
					got = err.Error()
				}
				if got != tt.want {
					t.Errorf("%s: %+v: got %q", mode, tt, got)
				}
			}
		}
	}
	if image, _ := strict.Find("ref", TargetVersion("1.30.2")); image.Version == nil || *image.Version != "v7" || image.Tag != nil {
		t.Errorf("the image of a ref is %+v", image)
	}
	if image, _ := strict.Find("scores", TargetVersion("1.29.0")); image.Version == nil || *image.Version != "v1.29.0" {
		t.Errorf("the version of an image without one is %v, want its tag", image.Version)
	}
}

// Strict lookups report invalid versions that Gardener accepts, if they affect the
// result.
func TestFindErrors(t *testing.T) {
	sources := []Source{{Name: "a", Repository: text("r"), Tag: text("v1")}, {Name: "b", Repository: text("r"), TargetVersion: text("< 1.30")}, {Name: "b", Repository: text("r"), TargetVersion: text(">= 1.30")}, {Name: "c", Repository: text("r")}}
	strict, err := New(sources)
	if err != nil {
		t.Fatal(err)
	}
	compatible := vectorOf(t, sources)
	for _, tt := range []struct {
		name               string
		opt                FindOption
		strict, compatible string
	}{
		{"a", TargetVersion("one"), "", ""},
		{"b", TargetVersion("one"), `finding image "b" for target version one: invalid semantic version`, "invalid semantic version"},
		{"c", TargetVersion("one"), `finding image "c" for target version one: invalid semantic version`, ""},
		{"c", RuntimeVersion("one"), "", ""},
		{"a", Architecture("s390x"), `finding image "a" for architecture s390x: unknown architecture "s390x": want amd64 or arm64`, `could not find image "a" opts architecture s390x`},
	} {
		for want, v := range map[string]*Vector{"strict " + tt.strict: strict, "compatible " + tt.compatible: compatible} {
			mode, want, _ := strings.Cut(want, " ")
			_, err := v.Find(tt.name, tt.opt)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: %s, %+v: got error %q, want %q", mode, tt.name, tt.opt, got, want)
			}
		}
	}
	var notFound *NotFoundError
	if _, err := strict.Find("none"); !errors.As(err, &notFound) || notFound.Name != "none" {
		t.Errorf("looking up a name that is not there: %v", err)
	}
	broken := vectorOf(t, []Source{{Name: "a", Repository: text("r")}, {Name: "a", Repository: text("r"), TargetVersion: text("latest")}})
	if _, err := broken.Find("a", TargetVersion("1.30.0")); err == nil || err.Error() != `improper constraint: "latest"` {
		t.Errorf("a constraint that does not parse: %v", err)
	}
	if _, err := broken.Find("a"); err != nil {
		t.Errorf("a constraint that is not asked for: %v", err)
	}
	if _, err := New([]Source{{Name: "a"}}); err == nil || !strings.Contains(err.Error(), "images[0].repository") {
		t.Errorf("a source without repository: %v", err)
	}
}

func TestWithOptionalTag(t *testing.T) {
	for want, image := range map[string]Image{
		"r/a:v2": {Repository: text("r/a")}, "r/a:v1": {Repository: text("r/a"), Tag: text("v1")}, "r/a": {Ref: text("r/a")},
	} {
		tagged := image.WithOptionalTag("v2")
		if tagged.String() != want || tagged.Ref != nil && tagged.Tag != nil {
			t.Errorf("got %+v, want %s", tagged, want)
		}
	}
}

func TestExplain(t *testing.T) {
	v := vectorOf(t, []Source{
		{Name: "a", Repository: text("r/0")},
		{Name: "a", Repository: text("r/1"), RuntimeVersion: text(">= 1.30"), TargetVersion: text("= 1.30.2"), Architectures: []string{amd64}},
		{Name: "a", Repository: text("r/2"), RuntimeVersion: text("< 1.30")},
		{Name: "a", Repository: text("r/3"), TargetVersion: text("< 1.30")},
		{Name: "a", Repository: text("r/4"), Architectures: []string{arm64}},
		{Name: "b", Repository: text("r/5")},
	})
	candidates, err := v.Explain("a", RuntimeVersion("1.30.2"), TargetVersion("1.30.2"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range candidates {
		got = append(got, fmt.Sprintf("%d %v %d=%d+%d+%d %v %s", c.Index, c.Matches, c.Score, c.RuntimeScore, c.TargetScore, c.ArchitectureScore, c.Chosen, c.Reason))
	}
	want := []string{
		"0 true 1=0+0+1 false ",
		"1 true 5=1+2+2 true ",
		`2 false 0=0+0+0 false runtime version "1.30.2" does not satisfy "< 1.30"`,
		`3 false 0=0+0+0 false target version "1.30.2" does not satisfy "< 1.30"`,
		`4 false 0=0+0+0 false architecture "amd64" is not one of ["arm64"]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A lookup allocates nothing except a tag that is not cached.
func TestFindAllocatesNothing(t *testing.T) {
	v, err := Parse(manyEntries(2_000, 10))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := v.Find("image-3", RuntimeVersion("1.29.4"), TargetVersion("1.29.4"), Architecture(arm64)); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}

// Lookups are safe for concurrent use, checked by the race detector.
func TestFindConcurrently(t *testing.T) {
	v := vectorOf(t, []Source{{Name: "a", Repository: text("r")}})
	done := make(chan bool)
	for i := range 8 {
		go func() {
			defer func() { done <- true }()
			for j := range 1_000 {
				version := fmt.Sprintf("1.%d.%d", i, j%70)
				if image, err := v.Find("a", TargetVersion(version)); err != nil || *image.Tag != "v"+version {
					t.Errorf("target version %s: tag %v, %v", version, image, err)
					return
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
}

func TestIsExact(t *testing.T) {
	for text, want := range map[string]bool{
		"=": true, "= 1.20": true, "=>1.20": true, "1.20.4": true, "v1.20.4": true, "1.20.4 || 1.21": true, "1.2.3.4": true, "1.20.4-rc.1": true, "01.2.3x": true,
		"": false, "1.20": false, "1.20.x": false, " = 1.20": false, "vv1.2.3": false, "1 1 1": false, "1.20,3": false, ">= 1.20.4": false, "v": false, "1..3": false,
	} {
		if exact.MatchString(text) != want {
			t.Errorf("%q is exact: %v", text, !want)
		}
	}
}
