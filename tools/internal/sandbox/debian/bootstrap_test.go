package debian

import (
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
)

func TestRenderSources(t *testing.T) {
	debian := mirror.Source{URI: "http://a.example/debian", SignedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"}
	site := mirror.Source{URI: "http://b.example/sec", SignedBy: "/etc/apt/keyrings/site.gpg"}
	got, err := renderSources(mirror.Mirror{Archive: debian, Security: site}, Spec{Suite: "bullseye", Security: true})
	want := `Types: deb
URIs: http://a.example/debian
Suites: bullseye
Components: main

Types: deb
URIs: http://b.example/sec
Suites: bullseye-security
Components: main
Signed-By: /etc/apt/keyrings/site.gpg

`
	if err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if _, err := renderSources(mirror.Mirror{Archive: debian}, Spec{Suite: "bullseye", Security: true}); err == nil {
		t.Error("no error for a security suite without a mirror")
	}
}
