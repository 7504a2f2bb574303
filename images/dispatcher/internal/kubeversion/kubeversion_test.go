package kubeversion

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build builds a stripped program with two versions set by the linker, like
// upstream's.
func build(t *testing.T, module, first, second string) []byte {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"main.go": "package main\n\nvar a, b = \"\", \"\"\n\nfunc main() { println(a, b, \"v1.0.0\", \"v1.0.0\") }\n",
		"go.mod":  "module " + module + "\n\ngo 1.21\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -X main.a="+first+" -X main.b="+second, "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRead(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command to build test binaries")
	}
	kubelet := build(t, "k8s.io/kubernetes/cmd/kubelet", "v1.30.10", "v1.30.10")
	for _, c := range []struct {
		name          string
		program       []byte
		file, version string
	}{
		{"release", kubelet, "kubelet", "v1.30.10"},
		{"fork", build(t, "k8s.io/kubernetes/cmd/kubectl", "v1.30.1-rancher1", "v1.30.1-rancher1"), "kubectl", "v1.30.1-rancher1"},
		{"unclear", build(t, "k8s.io/kubernetes/cmd/kubectl", "v1.30.1", "v1.30.2"), "kubectl", ""},
		{"another project", build(t, "example.com/kubelet", "v1.30.1", "v1.30.1"), "", ""},
		{"cut", kubelet[:len(kubelet)/2], "", ""},
		{"text", []byte("v1.30.1\x00v1.30.1\x00"), "", ""},
	} {
		if file, version := Read(bytes.NewReader(c.program)); c.name != "cut" && file != c.file || version != c.version {
			t.Errorf("%s: got %q, %q; want %q, %q", c.name, file, version, c.file, c.version)
		}
	}
}

// Versions across the boundary of two chunks are counted once.
func TestCount(t *testing.T) {
	const v = "v1.36.0"
	for at := 1<<20 - 2*maxVersion; at <= 1<<20+2; at++ {
		text := strings.Repeat("v1.x", at/4+1)[:at] + v + "\x00" + strings.Repeat("x", 3*maxVersion) + v
		counts := map[string]int{}
		if err := count(strings.NewReader(text), counts); err != nil || len(counts) != 1 || counts[v] != 1 {
			t.Fatalf("at %d: got %v, %v", at, counts, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(_ *testing.T, b []byte) { Read(bytes.NewReader(b)) })
}
