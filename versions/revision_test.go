package versions

import (
	_ "embed"
	"strings"
	"testing"
)

// rancherTags has all published tags of rancher/hyperkube.
//
//go:embed testdata/rancher-tags.txt
var rancherTags string

const rancher = "{version}-rancher{iteration}"

func TestParseTagRancher(t *testing.T) {
	read, refused := 0, []string{}
	for tag := range strings.FieldsSeq(rancherTags) {
		r, err := ParseTag(rancher, tag)
		if err != nil {
			refused = append(refused, tag)
			continue
		}
		read++
		if back := r.expand(rancher); back != tag {
			t.Errorf("%q parsed as %v, which is %q", tag, r, back)
		}
	}
	// Pre-releases are not supported, nor is the first, which has two iterations.
	want := "v1.12.1-rancher1-1 v1.16.0-alpha.2-rancher1 v1.16.0-beta.1-rancher1 v1.16.0-beta.1-rancher2 v1.16.0-rc.1-rancher1 " +
		"v1.16.0-rc.2-rancher1 v1.17.0-alpha.1-rancher1 v1.17.0-beta.2-rancher1 v1.18.0-beta.0-rancher1 v1.19.0-rc.4-rancher1 " +
		"v1.22.0-alpha.3-rancher1 v1.22.0-beta.0-rancher1 v1.22.0-beta.1-rancher1 v1.22.0-beta.2-rancher1 v1.22.0-rc.0-rancher1"
	if got := strings.Join(refused, " "); read != 267 || got != want {
		t.Errorf("parsed %d, errors for %s", read, got)
	}
}

func TestParseTagErrors(t *testing.T) {
	for _, tag := range []string{
		"", "v1.26.4", "v1.26.4-rancher", "v1.26.4-rancher0", "v1.26.4-rancher01", "v1.26.4-rancher1 ", "1.26.4-rancher1",
		"v1.26-rancher1", "v01.26.4-rancher1", "v1.26.4-Rancher1", "v1.26.4-rancher99999", "xv1.26.4-rancher1",
	} {
		if r, err := ParseTag(rancher, tag); err == nil {
			t.Errorf("%q parsed as %v", tag, r)
		}
	}
	if r, err := ParseTag("{version}", "v1.26.4"); err != nil || r.Iteration != 1 {
		t.Errorf("got %v, %v", r, err)
	}
}

// The tag of the first iteration is the version.
func TestOptionalIteration(t *testing.T) {
	const template = "{version}{-iteration}"
	for tag, want := range map[string]int{"v1.26.4": 1, "v1.26.4-2": 2, "v1.26.4-10": 10} {
		r, err := ParseTag(template, tag)
		if err != nil || r.Iteration != want || r.expand(template) != tag {
			t.Errorf("%s: got %v, %v, which is %q", tag, r, err, r.expand(template))
		}
	}
	for _, tag := range []string{"v1.26.4-", "v1.26.4-1", "v1.26.4-0", "v1.26.4-02", "v1.26.4-99999", "v1.26.4-rc.1"} {
		if r, err := ParseTag(template, tag); err == nil {
			t.Errorf("%q parsed as %v", tag, r)
		}
	}
}

// The revisions before, at and after each of MinTags, compared by version, then by
// iteration, both as numbers.
func TestMinTags(t *testing.T) {
	var choice SourceChoice
	for _, tag := range []string{"v1.24.10-rancher3", "v1.25.6-rancher3", "v1.26.4-rancher1"} {
		choice.MinTags = append(choice.MinTags, revision(t, tag))
	}
	tests := map[string]bool{
		"v1.19.0-rancher1": false, "v1.23.99-rancher99": false,
		"v1.24.9-rancher9": false, "v1.24.10-rancher2": false, "v1.24.10-rancher3": true, "v1.24.10-rancher10": true, "v1.24.11-rancher1": true, "v1.24.17-rancher1": true,
		"v1.25.0-rancher3": false, "v1.25.5-rancher4": false, "v1.25.6-rancher2": false, "v1.25.6-rancher3": true, "v1.25.10-rancher1": true,
		"v1.26.0-rancher9": false, "v1.26.3-rancher2": false, "v1.26.4-rancher1": true, "v1.26.11-rancher1": true,
		"v1.27.0-rancher1": true, "v1.36.0-rancher1": true, "v2.0.0-rancher1": true,
	}
	for tag, want := range tests {
		if got := choice.matches(revision(t, tag)); got != want {
			t.Errorf("%s: %v, want %v", tag, got, want)
		}
	}
	// The order of MinTags is irrelevant.
	choice.MinTags[0], choice.MinTags[2] = choice.MinTags[2], choice.MinTags[0]
	for tag, want := range tests {
		if got := choice.matches(revision(t, tag)); got != want {
			t.Errorf("reversed, %s: %v, want %v", tag, got, want)
		}
	}
}

func revision(t *testing.T, tag string) Revision {
	t.Helper()
	r, err := ParseTag(rancher, tag)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
