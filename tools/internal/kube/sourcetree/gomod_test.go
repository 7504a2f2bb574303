package sourcetree

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

func TestParseImage(t *testing.T) {
	tests := []struct {
		cross, goVersion string
		want             Image
		fail             bool
	}{
		{"v1.36.0-go1.26.2-bullseye.0\n", "1.26.2\n", Image{"1.26.2", "bullseye"}, false},
		{"v1.27.0-go1.20.7-bullseye.0", "1.20.7", Image{"1.20.7", "bullseye"}, false}, // of v1.28.0
		{"v1.26.0-go1.19.4-bullseye.1\n", "", Image{"1.19.4", "bullseye"}, false},     // no .go-version yet
		{"v1.25.0-go1.19-bullseye.0", "", Image{"1.19", "bullseye"}, false},
		{"v1.36.0-go1.26.2-bullseye.0", "1.26.3", Image{}, true},
		{"v1.36.0-go1.26rc1-bullseye.0", "", Image{}, true},
		{"v1.36.0-go1.26.2-../../etc.0", "", Image{}, true},
		{"<html>", "", Image{}, true},
		{"", "", Image{}, true},
	}
	for _, test := range tests {
		got, err := parseImage(test.cross, test.goVersion)
		if got != test.want || (err != nil) != test.fail {
			t.Errorf("parseImage(%q, %q) = %v, %v, want %v, failure %v", test.cross, test.goVersion, got, err, test.want, test.fail)
		}
	}
}

func TestStagingVersion(t *testing.T) {
	for version, want := range map[string]string{"v1.36.0": "v0.36.0", "v1.24.17": "v0.24.17", "v2.0.0": ""} {
		got, err := stagingVersion(version)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("stagingVersion(%q) = %q, %v, want %q", version, got, err, want)
		}
	}
}

// The files in testdata have the form of the minor version in their name:
// published is the go.mod of the module proxy, tree that of the repository.
func TestRestoreStaging(t *testing.T) {
	for _, minor := range []string{"1.24", "1.36"} {
		t.Run(minor, func(t *testing.T) {
			read := func(name string) []byte {
				data, err := os.ReadFile(filepath.Join("testdata", minor, name))
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			main, err := modfile.Parse("go.mod", read("go.mod"), nil)
			if err != nil {
				t.Fatal(err)
			}
			siblings := staging(main)
			if want := []string{"k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go"}; !reflect.DeepEqual(siblings, want) {
				t.Errorf("staging modules %q, want %q", siblings, want)
			}
			version, err := stagingVersion("v" + minor + ".0")
			if err != nil {
				t.Fatal(err)
			}
			got, err := restoreStaging("client-go/go.mod", read("client-go.published"), version, siblings)
			if err != nil {
				t.Fatal(err)
			}
			if want := read("client-go.tree"); string(got) != string(want) {
				t.Errorf("restored:\n%s\nwant:\n%s", got, want)
			}
			got, err = dropFromMod(main)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(got), "sample-") || !strings.Contains(string(got), "k8s.io/api => ./staging/src/k8s.io/api") {
				t.Errorf("without the dropped modules:\n%s", got)
			}
		})
	}
}

func TestDropFromWork(t *testing.T) {
	const work = "go 1.26.0\n\ngodebug default=go1.26\n\nuse (\n\t.\n\t./staging/src/k8s.io/api\n\t./staging/src/k8s.io/sample-cli-plugin\n\t./staging/src/k8s.io/sample-controller\n)\n"
	got, err := dropFromWork("go.work", []byte(work))
	const want = "go 1.26.0\n\ngodebug default=go1.26\n\nuse (\n\t.\n\t./staging/src/k8s.io/api\n)\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q (error %v), want %q", got, err, want)
	}
	if _, err := dropFromWork("go.work", []byte("use (")); err == nil {
		t.Error("a broken go.work was accepted")
	}
}
