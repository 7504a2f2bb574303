package versions

import (
	"strings"
	"testing"
)

func TestImageByName(t *testing.T) {
	c := resolve(t, strings.NewReplacer(
		good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "",
		"versions: \">= 1.19.0\"\n    architectures: [amd64, arm64]", "versions: \"1.24.10\"\n    architectures: [amd64]",
		"  - v1.28.7\n", "  - v1.29.1\n",
	).Replace(good))
	for name, want := range map[string]string{
		"v1.24.10": "hyperkube:v1.24.10", "hyperkube:v1.24.10": "hyperkube:v1.24.10", "rke:v1.24.10-rancher3": "rke:v1.24.10-rancher3",
	} {
		if image, err := c.Image(name); err != nil || image.Name() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	for name, want := range map[string]string{
		"hypercube:v1.24.10":    `want a flavor of hyperkube, rke; did you mean "hyperkube:v1.24.10"?`,
		"other:v1":              `want a flavor of hyperkube, rke`,
		"":                      `"" is not a tag like "v1.36.0"; did you mean "hyperkube:v1.24.10"?`,
		"1.24.10":               `"1.24.10" is not a tag like "v1.36.0"; did you mean "hyperkube:v1.24.10"?`,
		"v1.24.11":              `release v1.24.11 is not in versions/versions.yaml; did you mean "hyperkube:v1.24.10"?`,
		"v1.99.0":               `release v1.99.0 is not in versions/versions.yaml`,
		"v1.29.1":               `flavor "hyperkube" is for versions 1.24.10`,
		"rke:v1.24.10":          `"v1.24.10" is not a tag like "v1.36.0-rancher1"; did you mean "rke:v1.24.10-rancher3"?`,
		"rke:v1.24.10-rancher2": `the iteration of v1.24.10 is 3 in versions/versions.yaml; did you mean "rke:v1.24.10-rancher3"?`,
	} {
		_, err := c.Image(name)
		if want := `unknown image "` + name + `": ` + want; err == nil || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"hyperkube", "hypercube", 1}, {"ab", "ba", 2}} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
