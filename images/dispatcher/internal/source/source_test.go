package source

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

const (
	hex  = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	sum  = "#sha256=" + hex
	repo = "image:registry.example/hyperkube"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text   string
		kind   Kind
		detail string // path, URL, or reference and path
		sum    bool
		str    string
	}{
		{"", ThisImage, "", false, ""},
		{sum, ThisImage, "", true, ""},
		{"keep:", Keep, "", false, "keep:"},
		{"keep:" + sum, Keep, "", true, "keep:"},
		{"/a/b c", File, "/a/b c", false, "/a/b c"},
		{"/a#b" + sum, File, "/a#b", true, "/a#b"},
		{"./a", File, "./a", false, "./a"},
		{"../a", File, "../a", false, "../a"},
		{"https://h.example/a" + sum, Download, "https://h.example/a", true, "https://h.example/a"},
		{"https://h.example:8443/a?token=t" + sum, Download, "https://h.example:8443/a?token=t", true, "https://h.example:8443/a"},
		{"http://127.0.0.1:80/a" + sum, Download, "http://127.0.0.1:80/a", true, "http://127.0.0.1:80/a"},
		{"http://[::1]/a" + sum, Download, "http://[::1]/a", true, "http://[::1]/a"},
		{"http://localhost/a" + sum, Download, "http://localhost/a", true, "http://localhost/a"},
		{repo + "@sha256:" + hex + "!/kubelet", Image, "registry.example/hyperkube@sha256:" + hex + " /kubelet", false, ""},
		{repo + ":v1@sha256:" + hex + "!/kubelet" + sum, Image, "registry.example/hyperkube@sha256:" + hex + " /kubelet", true, ""},
		{repo + ":v1!/usr/bin/x!y" + sum, Image, "registry.example/hyperkube:v1 /usr/bin/x!y", true, ""},
	} {
		s, err := Parse(c.text)
		if err != nil {
			t.Error(err)
			continue
		}
		detail := s.Path + s.URL
		if s.Ref != nil {
			detail = s.Ref.Name() + " " + s.Path
		}
		if s.Kind != c.kind || detail != c.detail || (s.Sum != nil) != c.sum || c.sum && s.Sum.String() != hex {
			t.Errorf("Parse(%q) = %+v; want kind %d, %q, sum %v", c.text, s, c.kind, c.detail, c.sum)
		}
		if c.str != "" && s.String() != c.str {
			t.Errorf("Parse(%q).String() = %q; want %q", c.text, s, c.str)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"kubelet", "a path that begins with /"},
		{"a/b", "a path that begins with /"},
		{"ftp://h.example/a" + sum, "unknown form"},
		{"keep:x", `unexpected text after keep: "x"`},
		{"/a\x00b", "NUL byte"},
		{"/a#sha256=", "64 digits"},
		{"/a" + sum + sum, "64 digits"},
		{"/a#sha256=" + strings.ToUpper(hex), "64 digits"},
		{"https://h.example/a", "missing sum"},
		{"https://h.example/a#x" + sum, "unexpected fragment"},
		{"https:///a" + sum, "missing host"},
		{"https://u:secret@h.example/a" + sum, "user or password"},
		{"https://h.example/a?token=secret", "missing sum"},
		{"https://u:secret@h.example:port/a" + sum, "invalid port"},
		{"https://h.example:port/a" + sum, "invalid port"},
		{"http://h.example/a" + sum, "want https"},
		{"http://10.0.0.1/a" + sum, "want https"},
		{"http://localhost.example/a" + sum, "want https"},
		{"http://127.0.0.1.example/a" + sum, "want https"},
		{repo + ":v1!/kubelet", "tags are mutable"},
		{repo + "!/kubelet" + sum, "want REGISTRY/REPOSITORY"},
		{"image:hyperkube:v1!/kubelet" + sum, "want REGISTRY/REPOSITORY"},
		{repo + "@sha256:abc!/kubelet", "want REGISTRY/REPOSITORY"},
		{repo + ":v1" + sum, "want image:REFERENCE!/PATH"},
		{repo + ":v1!kubelet" + sum, "want image:REFERENCE!/PATH"},
		{repo + ":v1!/" + sum, "not the path of a file"},
		{repo + ":v1!/a/../b" + sum, "not the path of a file"},
		{repo + ":v1!/a/" + sum, "not the path of a file"},
		{repo + ":v1!//a" + sum, "not the path of a file"},
		{repo + ":v1!/a/.wh.b" + sum, "not the path of a file"},
	} {
		s, err := Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q) = %+v, %v; want an error with %q, without the secret", c.text, s, err, c.want)
		}
	}
}

// Every parsed source has the fields of its kind, and no others.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "keep:", "/a" + sum, "./a", "https://h.example/a?b" + sum, "http://[::1%25x]/a" + sum,
		repo + "@sha256:" + hex + "!/a/b", repo + ":v1!/a" + sum, "image:!/", "https://@/#sha256=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if got := strings.HasSuffix(text, sumPrefix+sumOf(s)); got != (s.Sum != nil) {
			t.Errorf("sum of %q is %v", text, s.Sum)
		}
		switch s.Kind {
		case ThisImage, Keep:
			if s.Path != "" || s.URL != "" || s.Ref != nil {
				t.Errorf("%q has fields of other kinds: %+v", text, s)
			}
		case File:
			if s.Path == "" || strings.ContainsRune(s.Path, 0) {
				t.Errorf("%q has path %q", text, s.Path)
			}
		case Download:
			if s.Sum == nil || strings.ContainsAny(s.URL, "#") || strings.Contains(s.String(), "?") {
				t.Errorf("%q is %+v", text, s)
			}
		case Image:
			_, byDigest := s.Ref.(name.Digest)
			if s.Sum == nil && !byDigest || !strings.HasPrefix(s.Path, "/") || strings.Contains(s.Path+"/", "/../") {
				t.Errorf("%q is %+v", text, s)
			}
		}
	})
}

func sumOf(s Source) string {
	if s.Sum == nil {
		return "none"
	}
	return s.Sum.String()
}
