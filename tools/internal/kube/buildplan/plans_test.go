package buildplan

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The plans of kubectl and kubelet for linux/arm64 were recorded with the
// scripts of several minor versions. They have a word on each line.
func TestRecordedPlans(t *testing.T) {
	const (
		tree    = "/workspace/src/k8s.io/kubernetes"
		through = tree + "/_output/dockerized/go/src/k8s.io/kubernetes" // a symlink to tree
	)
	for _, test := range []struct {
		version, dir string
		trimpath     bool // flag of go, not of the compiler alone
		tags         string
		dates        int // packages with a build date
	}{
		{"v1.26.0", through, false, "-tags=selinux,notest,", 4},
		{"v1.29.1", through, false, "-tags=selinux,notest,", 4},
		{"v1.30.0", tree, true, "-tags=selinux,notest,", 2},
		{"v1.34.3", tree, true, "-tags=selinux,notest,grpcnotrace,", 2},
		{"v1.36.0", tree, true, "-tags=selinux,notest,grpcnotrace,", 2},
	} {
		t.Run(test.version, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "plans", test.version+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			builds, err := parseRecord(bytes.ReplaceAll(append(data, '\n'), []byte("\n"), []byte{0}))
			if err != nil || len(builds) != 2 {
				t.Fatalf("%d builds, error %v, want 2", len(builds), err)
			}
			for i, name := range []string{"kubectl", "kubelet"} {
				b := builds[i]
				args := strings.Join(b.Args, " ")
				if got := b.Packages(); !slices.Equal(got, []string{"k8s.io/kubernetes/cmd/" + name}) {
					t.Errorf("%s: packages %q", name, got)
				}
				if b.Static() != (name == "kubectl") || strings.Contains(args, "-installsuffix=static") != b.Static() {
					t.Errorf("%s: static %v, flags %s", name, b.Static(), args)
				}
				if slices.Contains(b.Args, "-trimpath") != test.trimpath || !slices.Contains(b.Args, test.tags) || b.Dir != test.dir {
					t.Errorf("%s: in %s with %s, want -trimpath %v and %s in %s", name, b.Dir, args, test.trimpath, test.tags, test.dir)
				}
				if got := strings.Count(args, ".buildDate="); got != test.dates {
					t.Errorf("%s: %d packages have a build date, want %d", name, got, test.dates)
				}
				if b.Getenv("GOARCH") != "arm64" || b.Getenv("CC") != "aarch64-linux-gnu-gcc" || b.Getenv("SHLVL") != "" {
					t.Errorf("%s: environment %q", name, b.Env)
				}
			}
		})
	}
}
