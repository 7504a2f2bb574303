package binary

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const source = `package main

import "fmt"

var gitVersion = "unknown"

func main() { fmt.Println(gitVersion) }
`

// build builds a stripped binary with a version set by the linker, like upstream.
func build(t *testing.T, name, arch, version string) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"main.go": source, "go.mod": "module k8s.io/kubernetes/cmd/" + name + "\n\ngo 1.21\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X main.gitVersion="+version, "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheck(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command to build test binaries")
	}
	amd64, arm64 := build(t, "kubectl", "amd64", "v1.36.0"), build(t, "kubectl", "arm64", "v1.36.0")
	foreign := bytes.Clone(arm64)
	foreign[4] = 1 // the header's class: 32 bits
	object := bytes.Clone(amd64)
	object[16] = 1 // its type
	for name, test := range map[string]struct {
		program []byte
		key     string
		want    string // error; "" for none
	}{
		"amd64":                {amd64, "kubernetes/v1.36.0/linux/amd64/kubectl", ""},
		"arm64":                {arm64, "kubernetes/v1.36.0/linux/arm64/kubectl", ""},
		"without version":      {arm64, "programs/linux/arm64/hyperkube", ""},
		"another architecture": {arm64, "kubernetes/v1.36.0/linux/amd64/kubectl", "want an executable for amd64 (EM_X86_64), got one for EM_AARCH64\nwant a build for linux/amd64, got GOARCH=arm64"},
		"another version":      {amd64, "kubernetes/v1.36.1/linux/amd64/kubectl", "version v1.36.1 not found"},
		"longer version":       {build(t, "kubectl", "amd64", "v1.36.10"), "kubernetes/v1.36.1/linux/amd64/kubectl", "version v1.36.1 not found"},
		"another program":      {amd64, "kubernetes/v1.36.0/linux/amd64/kubelet", `want main package kubelet, got "k8s.io/kubernetes/cmd/kubectl"`},
		"HTML page":            {[]byte("<!doctype html>" + strings.Repeat(" ", 100)), "kubernetes/v1.36.0/linux/amd64/kubectl", "reading ELF header of kubernetes/v1.36.0/linux/amd64/kubectl: bad magic"},
		"32 bits":              {foreign, "kubernetes/v1.36.0/linux/arm64/kubectl", "reading ELF header"},
		"object file":          {object, "kubernetes/v1.36.0/linux/amd64/kubectl", "want an executable, got type ET_REL"},
		"cut":                  {amd64[:len(amd64)/2], "kubernetes/v1.36.0/linux/amd64/kubectl", "reading"},
		"no build information": {amd64, "kubernetes/v1.16.0/linux/amd64/hyperkube", "version v1.16.0 not found"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := versions.ParseFileKey(test.key)
			if err != nil {
				t.Fatal(err)
			}
			err = Check(bytes.NewReader(test.program), key)
			if test.want == "" && err != nil {
				t.Error(err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// Matches across the boundary of two chunks are found.
func TestContains(t *testing.T) {
	want := []byte("v1.36.0\x00")
	for _, at := range []int{0, 1<<20 - 8, 1<<20 - 7, 1<<20 - 1, 1 << 20, 3<<20 - 4} {
		text := append(bytes.Repeat([]byte("v1.36."), at/6+1)[:at], want...)
		for _, cut := range []int{0, 1} {
			found, err := contains(bytes.NewReader(text[:len(text)-cut]), want)
			if err != nil || found != (cut == 0) {
				t.Errorf("at %d, cut %d: %v, %v", at, cut, found, err)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	key, err := versions.ParseFileKey("kubernetes/v1.36.0/linux/amd64/kubectl")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if Check(bytes.NewReader(b), key) == nil {
			t.Error("accepted as kubectl")
		}
	})
}
