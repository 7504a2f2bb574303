package versions

import (
	"strings"
	"testing"
)

const (
	baseEntry = `- {versions: ">= 1.19.0", image: "example.com/base@sha256:0000000000000000000000000000000000000000000000000000000000000000"}`
	imageA    = "example.com/base@sha256:" + hashA
	imageB    = "localhost:5000/team/base@sha256:" + hashB
)

// based returns the good manifest for one platform, with other bases.
func based(bases ...string) string {
	return strings.NewReplacer("[amd64, arm64]", "[amd64]", "  - v1.28.7\n", "", baseEntry, strings.Join(bases, "\n      ")).Replace(good)
}

func TestParseImageRef(t *testing.T) {
	for _, s := range []string{imageA, imageB, "localhost/x@sha256:" + hashA, "h:1/x@sha256:" + hashA, "docker.io/rancher/hyperkube-base@sha256:" + hashA} {
		ref, err := ParseImageRef(s)
		if err != nil || ref.String() != s || ref.Repository()+"@sha256:"+ref.Digest().String() != s {
			t.Errorf("%q: %q, %v", s, ref, err)
		}
	}
	for _, s := range []string{
		"", "scratch", "example.com/base", "example.com/base:v1", "example.com/base:v1@sha256:" + hashA, "rancher/hyperkube-base@sha256:" + hashA,
		"base@sha256:" + hashA, "example.com@sha256:" + hashA, "example.com/../base@sha256:" + hashA, "example.com/Base@sha256:" + hashA,
		"https://example.com/base@sha256:" + hashA, "example.com/base@sha256:" + hashA + "@sha256:" + hashA, "example.com/base@sha512:" + hashA,
		"example.com/base@sha256:" + strings.ToUpper(hashA), "user@example.com/base@sha256:" + hashA, "example.com/base\n@sha256:" + hashA,
	} {
		if ref, err := ParseImageRef(s); err == nil || !strings.Contains(err.Error(), "is not an image reference by digest: want REGISTRY/REPOSITORY@sha256:DIGEST") {
			t.Errorf("%q parsed as %q, %v", s, ref, err)
		}
	}
}

// Exactly one base matches each release of a flavor with bases.
func TestBasesMatchReleases(t *testing.T) {
	releases := func(text string) string {
		return strings.Replace(text, "releases:\n", "releases:\n  - v1.25.3\n  - v1.26.0\n  - v1.27.1\n  - v1.28.7\n", 1)
	}
	for name, test := range map[string]struct {
		bases []string
		want  string
	}{
		"one":         {[]string{`- {versions: ">= 1.19.0", image: "` + imageA + `"}`}, ""},
		"scratch too": {[]string{`- {versions: ">= 1.26.0", image: "` + imageA + `"}`, `- {versions: "< 1.26.0", image: scratch}`}, ""},
		"none": {
			[]string{`- {versions: ">= 1.26.0, < 1.28.0", image: "` + imageA + `"}`},
			"m.yaml:22: flavors.hyperkube.base: no base matches v1.24.10 to v1.25.3, v1.28.7; use image: scratch for images without a base",
		},
		"two": {
			[]string{`- {versions: ">= 1.19.0", image: scratch}`, `- {versions: "1.26.0", image: "` + imageA + `"}`},
			"flavors.hyperkube.base: base[0] and base[1] match v1.26.0; want exactly one base",
		},
		"empty list":    {[]string{"[]"}, "flavors.hyperkube.base: must not be empty; omit it for images on scratch"},
		"by tag":        {[]string{`- {versions: ">= 1.19.0", image: "example.com/base:v1"}`}, `flavors.hyperkube.base[0].image: "example.com/base:v1" is not an image reference by digest`},
		"no constraint": {[]string{`- {image: scratch}`}, "flavors.hyperkube.base[0].versions: missing"},
		"empty image":   {[]string{`- {versions: ">= 1.19.0", image: ""}`}, "flavors.hyperkube.base[0].image: must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			text := releases(based(test.bases...))
			if test.bases[0] == "[]" {
				text = strings.Replace(text, "base:\n      []", "base: []", 1)
			}
			m, err := ParseManifest("m.yaml", []byte(text))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, %v, want %q", m, err, test.want)
			}
		})
	}
}

func TestSourceNamedBases(t *testing.T) {
	_, err := ParseManifest("m.yaml", []byte(strings.NewReplacer("  patched:\n", "  bases:\n", "patched/kubelet", "bases/kubelet").Replace(good)))
	if want := "sources.bases: is reserved: the package of base images has this name"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// lockOf returns the good lock with bases.
func lockOf(bases ...string) string {
	return strings.Replace(goodLock, "  ]\n}\n", "  ],\n  \"bases\": [\n    "+strings.Join(bases, ",\n    ")+"\n  ]\n}\n", 1)
}

func baseLine(image, platform, sha256 string) string {
	return `{"image":"` + image + `","platform":"` + platform + `","sha256":"` + sha256 + `"}`
}

func TestParseLockBases(t *testing.T) {
	text := lockOf(baseLine(imageA, "linux/amd64", hashB), baseLine(imageA, "linux/arm64", hashA), baseLine(imageB, "linux/amd64", hashB))
	l, err := ParseLock("l.json", []byte(text))
	if err != nil || len(l.Warnings()) != 0 {
		t.Fatal(err)
	}
	if got := string(l.Format()); got != text {
		t.Errorf("formatted:\n%s\nwant\n%s", got, text)
	}
	pin, ok := l.Base(BaseKey{mustRef(t, imageA), Platform{"linux", "arm64"}})
	if !ok || pin.SHA256.String() != hashA {
		t.Errorf("%+v, %v", pin, ok)
	}
	for name, test := range map[string]struct{ bases, want string }{
		"unknown key":  {strings.Replace(baseLine(imageA, "linux/amd64", hashA), "sha256\":", "digest\":", 1), "l.json:9: bases[0].digest: unknown key"},
		"a file's key": {strings.Replace(baseLine(imageA, "linux/amd64", hashA), "}", `,"size":3}`, 1), "bases[0].size: unknown key"},
		"twice":        {baseLine(imageA, "linux/amd64", hashA) + "," + baseLine(imageA, "linux/amd64", hashB), "bases[1].image: duplicate pin " + imageA + " for linux/amd64"},
		"scratch":      {baseLine("scratch", "linux/amd64", hashA), `bases[0].image: "scratch" is not an image reference by digest`},
		"by tag":       {baseLine("example.com/base:v1", "linux/amd64", hashA), `bases[0].image: "example.com/base:v1" is not an image reference by digest`},
		"platform":     {baseLine(imageA, "linux/mips", hashA), `bases[0].platform: "linux/mips" is not a supported platform`},
		"no platform":  {strings.Replace(baseLine(imageA, "linux/amd64", hashA), `"platform":"linux/amd64",`, "", 1), `bases[0].platform: "" is not a supported platform`},
		"short":        {baseLine(imageA, "linux/amd64", hashA[1:]), "bases[0].sha256"},
		"with prefix":  {baseLine(imageA, "linux/amd64", "sha256:"+hashA), "bases[0].sha256"},
		"null":         {`{"image":null,"platform":"linux/amd64","sha256":"` + hashA + `"}`, "bases[0].image: want a non-empty string"},
		"a string":     {`"x"`, `want "{", got x`},
		"duplicate":    {`{"image":"x","image":"y"}`, `duplicate key "image"`},
		"truncated":    {baseLine(imageA, "linux/amd64", hashA) + "]", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ParseLock("l.json", []byte(lockOf(test.bases)))
			if err == nil || l != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %s", l, err, test.want)
			}
		})
	}
	if _, err := ParseLock("l.json", []byte(strings.Replace(text, `"schema": 1,`, `"schema": 1, "bases": [],`, 1))); err == nil || !strings.Contains(err.Error(), `duplicate key "bases"`) {
		t.Errorf("two lists: %v", err)
	}
}

func TestResolveBases(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(based(`- {versions: ">= 1.24.0", image: "`+imageA+`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.RequiredBases(); len(got) != 1 || got[0].String() != imageA+" for linux/amd64" {
		t.Errorf("required bases %v", got)
	}
	// Pinned for another platform, and with another image.
	lock := lockOf(baseLine(imageA, "linux/arm64", hashB), baseLine(imageB, "linux/amd64", hashB))
	l, err := ParseLock("l.json", []byte(lock))
	if err != nil {
		t.Fatal(err)
	}
	want := `flavor "hyperkube": base image ` + imageA + ` for linux/amd64 is not pinned in versions/lock.json. Fix: go run ./tools/hk pin`
	if _, err := Resolve(m, l); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	key := BaseKey{mustRef(t, imageA), Platform{"linux", "amd64"}}
	seen := map[Digest]bool{}
	for _, sum := range []string{hashA, hashB} {
		d, _ := ParseDigest(sum)
		l.SetBase(BasePin{key, d})
		c, err := Resolve(m, l)
		if err != nil {
			t.Fatal(err)
		}
		image := c.Images[0]
		if image.Builds[0].Base.SHA256 != d || c.Images[1].Builds[0].Base != (BasePin{}) {
			t.Errorf("bases %v and %v", image.Builds[0].Base, c.Images[1].Builds[0].Base)
		}
		seen[image.InputHash()] = true
	}
	m.Flavors[0].Bases = nil
	c, err := Resolve(m, l)
	if err != nil {
		t.Fatal(err)
	}
	seen[c.Images[0].InputHash()] = true
	if len(seen) != 3 {
		t.Errorf("two bases and scratch: %d different inputs, want 3", len(seen))
	}
}

// The content tag depends on the base.
func TestContentTagOfBase(t *testing.T) {
	build := Build{Platform: Platform{"linux", "amd64"}}
	without := contentTag([]Build{build})
	d, _ := ParseDigest(hashA)
	build.Base = BasePin{SHA256: d}
	if contentTag([]Build{build}) == without {
		t.Error("same content tag with and without a base")
	}
}

func mustRef(t *testing.T, s string) ImageRef {
	t.Helper()
	ref, err := ParseImageRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
