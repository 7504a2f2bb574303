//go:build e2e

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// real is the smallest binary that upstream publishes.
var real = []string{"-version", "v1.36.0", "-binary", "kube-log-runner"}

// The real thing, over the network: upstream's smallest binary comes out with
// upstream's sha256, for both platforms, whatever happened before: runs that
// were killed, and two at once.
//
//	go test -tags e2e ./tools/rebuild
func TestReal(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "rebuild")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	command := func(store string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, append(append(real[:len(real):len(real)], "-store", filepath.Join(dir, store)), args...)...)
		cmd.Stderr = os.Stderr
		return cmd
	}
	for _, after := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		cmd := command("killed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = cmd.Process.Kill() // it may be done already
		_ = cmd.Wait()
		files, err := filepath.Glob(filepath.Join(dir, "killed", "sha256", "[0-9a-f]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if d, err := digestOf(name); err != nil || d.String() != filepath.Base(name) {
				t.Errorf("killed after %v: the store has %q, which is %v (error %v)", after, name, d, err)
			}
		}
	}

	outs := make([]bytes.Buffer, 2)
	var cmds []*exec.Cmd
	for i := range outs {
		cmd := command("both")
		cmd.Stdout = &outs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	made := 0
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("run %d of two at once: %v", i, err)
		}
		for _, p := range []string{"amd64", "arm64"} {
			line := fmt.Sprintf("kube-log-runner v1.36.0 linux/%s: ", p)
			if !strings.Contains(outs[i].String(), line+"matched") && !strings.Contains(outs[i].String(), line+"in the store") {
				t.Errorf("run %d of two at once says %q, want a match for %s", i, outs[i].String(), p)
			}
		}
		made += strings.Count(outs[i].String(), "matched")
	}
	if made != 2 {
		t.Errorf("two runs at once built %d binaries, want each of the two once", made)
	}
}
