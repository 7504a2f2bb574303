package imagevector

import "testing"

func TestParseVersions(t *testing.T) {
	for in, want := range map[string]string{
		"1.30": "1.30.x", "1.30.2": "1.30.2", "v1.30.2": "1.30.2", "1.30..1.36": "1.30.0..1.36.x", "1.30.2..1.30.4": "1.30.2..1.30.4", "1.30.2..1.31": "1.30.2..1.31.x",
		"1.30, 1.32..1.33": "1.30.x, 1.32.0..1.33.x", "1.31,1.30": "1.30.0..1.31.x", "1.30.1,1.30.2": "1.30.1..1.30.2",
	} {
		v, err := ParseVersions(in)
		if err != nil || v.String() != want {
			t.Errorf("ParseVersions(%q) = %v, %v; want %s", in, v, err, want)
		}
	}
	for _, in := range []string{"", "1", "1.30.", "1.36..1.30", "1.30-rc.1", "one", "1.30..", "..1.30", "1.30...1.31", ">= 1.30", "1.2.3.4"} {
		if v, err := ParseVersions(in); err == nil {
			t.Errorf("ParseVersions(%q) = %v", in, v)
		}
	}
}

func TestVersions(t *testing.T) {
	v, err := ParseVersions("1.29..1.32")
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]bool{"v1.28.0": false, "v1.30.1": true, "v1.30.2": true, "v1.33.0": false} {
		if v.Contains(version) != want {
			t.Errorf("%v contains %s: %v", v, version, !want)
		}
	}
	if !AllVersions().Contains("99.0.0") || v.Contains("text") {
		t.Error("Contains is wrong")
	}
	one, _ := ParseVersions("1.30.2")
	if s, ok := one.Single(); !ok || s != "1.30.2" {
		t.Errorf("the single version is %q, %v", s, ok)
	}
	if _, ok := v.Single(); ok {
		t.Error("a range is a single version")
	}
}

func TestRegistry(t *testing.T) {
	for image, want := range map[string]string{
		"registry.k8s.io/pause": "registry.k8s.io pause", "pause": "docker.io library/pause", "example/pause": "docker.io example/pause", "localhost/a/b": "localhost a/b", "host:5000/a": "host:5000 a",
	} {
		registry, path := Registry(image)
		if registry+" "+path != want {
			t.Errorf("%s: got %s %s, want %s", image, registry, path, want)
		}
	}
}
