//go:build e2e

package rebuild

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEndToEnd rebuilds the smallest official binary over the network, for both
// platforms: after runs that were killed, and in two processes at once.
//
//	go test -tags e2e ./tools/hk/internal/cmd/rebuild
func TestEndToEnd(t *testing.T) {
	dir := t.TempDir()
	hk := filepath.Join(dir, "hk")
	if out, err := exec.Command("go", "build", "-o", hk, "github.com/hyperkube/hyperkube/tools/hk").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	command := func(store string) *exec.Cmd {
		cmd := exec.Command(hk, "rebuild", "run", "v1.36.0", "--binary", "kube-log-runner", "--store", filepath.Join(dir, store))
		cmd.Stderr = os.Stderr
		return cmd
	}
	for _, after := range []time.Duration{100 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		cmd := command("killed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		files, err := filepath.Glob(filepath.Join(dir, "killed", "sha256", "[0-9a-f]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if data, err := os.ReadFile(name); err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != filepath.Base(name) {
				t.Errorf("killed after %v: the store has a wrong file %q (error %v)", after, name, err)
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
	built := 0
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d of two: %v", i, err)
		}
		for _, p := range []string{"amd64", "arm64"} {
			line := fmt.Sprintf("kube-log-runner v1.36.0 linux/%s: ", p)
			if !strings.Contains(outs[i].String(), line+"matched") && !strings.Contains(outs[i].String(), line+"stored") {
				t.Errorf("process %d of two: output %q, want a match for %s", i, outs[i].String(), p)
			}
		}
		built += strings.Count(outs[i].String(), "matched")
	}
	if built != 2 {
		t.Errorf("two processes built %d binaries, want each of the two once", built)
	}
}
