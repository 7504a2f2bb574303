package provenance

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
)

const (
	sumA = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	sumB = "h1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
)

func example() Statement {
	return Statement{
		Binary: "kubelet", Version: "v1.36.0", Platform: "linux/arm64", SHA256: strings.Repeat("0a", 32),
		Phase: "node", Commit: strings.Repeat("0b", 20), CommitTime: "2026-04-22T13:51:51Z", BuildDate: "2026-04-22T13:54:03Z",
		Command:     []string{"go", "install", "-ldflags=all=-X 'a=b'  -s -w", "k8s.io/kubernetes/cmd/kubelet"},
		Environment: []string{"GOOS=linux", "CC=aarch64-linux-gnu-gcc", "EMPTY="},
		System:      "bullseye",
		Modules: []gotool.Module{
			{Path: "k8s.io/kubernetes", Version: "v1.36.0", Sum: sumA},
			{Path: "golang.org/toolchain", Version: "v0.0.1-go1.26.2.linux-amd64", Sum: sumB},
			{Path: "k8s.io/kubernetes", Version: "v1.36.0", Sum: sumA, Dir: "other"},
		},
		Packages: []Package{{"libc6-dev", "2.31-13+deb11u14", "amd64"}, {"gcc", "4:10.2.1-1", "amd64"}},
	}
}

func TestGolden(t *testing.T) {
	got, err := example().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "kubelet.intoto.jsonl"), got)
	if n := strings.Count(string(got), "\n"); n != 1 {
		t.Errorf("%d lines, want one", n)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	want, err := example().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s := example()
	slices.Reverse(s.Modules)
	slices.Reverse(s.Packages)
	slices.Reverse(s.Environment)
	if got, err := s.Marshal(); err != nil || string(got) != string(want) {
		t.Errorf("another order of modules and packages gives (error %v)\n%s\nwant\n%s", err, got, want)
	}
}

func TestBadSums(t *testing.T) {
	for _, sum := range []string{"", "h1:", "h1:AAAA", "go:" + sumA[3:], "h1:" + strings.Repeat("!", 44)} {
		s := example()
		s.Modules = []gotool.Module{{Path: "example.org/x", Version: "v1.0.0", Sum: sum}}
		if _, err := s.Marshal(); err == nil || !strings.Contains(err.Error(), "example.org/x@v1.0.0") {
			t.Errorf("sum %q: error %v, want one that names the module", sum, err)
		}
	}
}
