package versions

import (
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for _, s := range []string{"v1.36.0", "v1.19.16", "v0.0.1", "v1.9.11"} {
		v, err := ParseVersion(s)
		if err != nil || v.String() != s {
			t.Errorf("%q: got %q, %v", s, v, err)
		}
	}
	for _, s := range []string{"", "1.36.0", "v1.36", "v1.36.0-rc.1", "v1.36.0+x", "v01.36.0", "v1.36.00", "v1.36.0 ", "v1.999999.0", "V1.36.0", "v1.-1.0"} {
		if v, err := ParseVersion(s); err == nil {
			t.Errorf("%q parsed as %s", s, v)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	ordered := []string{"v1.9.11", "v1.19.0", "v1.19.2", "v1.19.10", "v1.32.1", "v1.32.10", "v2.0.0"}
	for i := 1; i < len(ordered); i++ {
		a, b := mustVersion(t, ordered[i-1]), mustVersion(t, ordered[i])
		if a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
			t.Errorf("%s and %s are out of order", a, b)
		}
	}
	v := mustVersion(t, "v1.36.10")
	if v.Label() != "v1_36_10" || v.MinorLabel() != "v1_36" {
		t.Errorf("labels %q and %q", v.Label(), v.MinorLabel())
	}
}

func TestParseDigest(t *testing.T) {
	good := strings.Repeat("0f", 32)
	if d, err := ParseDigest(good); err != nil || d.String() != good {
		t.Errorf("got %q, %v", d, err)
	}
	for _, s := range []string{"", good[1:], good + "0", strings.ToUpper(good), "sha256:" + good, strings.Repeat("g", 64)} {
		if _, err := ParseDigest(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	for _, s := range []string{"linux/amd64", "linux/arm64"} {
		if p, err := ParsePlatform(s); err != nil || p.String() != s {
			t.Errorf("%q: got %q, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "linux", "amd64", "linux/arm", "windows/amd64", "linux/amd64/v2"} {
		if _, err := ParsePlatform(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func TestParseFileKey(t *testing.T) {
	for _, s := range []string{"kubernetes/v1.36.0/linux/amd64/kube-apiserver", "programs/linux/arm64/sleep"} {
		if k, err := ParseFileKey(s); err != nil || k.String() != s {
			t.Errorf("%q: got %q, %v", s, k, err)
		}
	}
	for _, s := range []string{"", "kubelet", "a/v1.36/linux/amd64/b", "a/v1.36.0/linux/mips/b", "a/v1.36.0/linux/amd64/../b", "A/linux/amd64/b"} {
		if k, err := ParseFileKey(s); err == nil {
			t.Errorf("%q parsed as %s", s, k)
		}
	}
}

func mustVersion(t testing.TB, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
