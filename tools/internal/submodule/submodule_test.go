package submodule

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

const source = `package main

import "os"

func main() {
	dir, _ := os.Getwd()
	os.Stdout.WriteString(dir)
	for _, arg := range os.Args[1:] {
		os.Stdout.WriteString(" " + arg)
	}
	if len(os.Args) > 1 {
		os.Exit(3)
	}
}
`

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	t.Setenv("GOTOOLCHAIN", "local")
	if os.Getenv("HOME") == "" { // in Bazel's sandbox
		t.Setenv("GOCACHE", t.TempDir())
	}
	root, cache := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "tools/x/go.mod"), "module example.org/x\n\ngo 1.21\n")
	write(t, filepath.Join(root, "tools/x/main.go"), source)
	run := func(args ...string) (string, int) {
		var out, stderr bytes.Buffer
		err := Run(context.Background(), cli.Env{
			Args: args, Dir: root, Out: &out, Err: &stderr,
			Getenv: func(name string) string { return map[string]string{"HYPERKUBE_CACHE": cache}[name] },
		}, "tools/x")
		code := cli.Code("hk", &stderr, err)
		return out.String() + stderr.String(), code
	}
	var group sync.WaitGroup
	for range 3 { // concurrent runs build the program once
		group.Go(func() {
			if out, code := run(); code != 0 || !strings.Contains(out, root) {
				t.Errorf("got exit code %d, output %q", code, out)
			}
		})
	}
	group.Wait()
	if out, code := run("a", "b"); code != 3 || out != root+" a b" {
		t.Errorf("got exit code %d, output %q", code, out)
	}

	// A build was killed while it wrote the program.
	program := filepath.Join(cache, "programs", "x")
	data, err := os.ReadFile(program)
	if err := errors.Join(err, os.WriteFile(program+".new", data[:len(data)/2], 0o755), os.Remove(program)); err != nil {
		t.Fatal(err)
	}
	if out, code := run(); code != 0 {
		t.Errorf("after a killed build: got exit code %d, output %q", code, out)
	}
	before, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	run()
	if after, err := os.Stat(program); err != nil || !os.SameFile(before, after) {
		t.Errorf("an up-to-date program was built again: %v", err)
	}

	write(t, filepath.Join(root, "tools/x/main.go"), "package main\n\nfunc main() { println(1 }\n")
	if out, code := run(); code != 1 || !strings.Contains(out, "main.go:3") {
		t.Errorf("got exit code %d, output %q", code, out)
	}
}
