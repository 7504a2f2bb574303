//go:build e2e

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestSetup sets up Bazel in an empty cache: killed, interrupted, and then in
// two concurrent processes. It needs a machine as in docs/airgap.md, 6 GB of
// disk and five minutes:
//
//	go test -tags e2e -count 1 -timeout 30m -v -run TestSetup ./tools/airgap
func TestSetup(t *testing.T) {
	program := filepath.Join(t.TempDir(), "airgap")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	workspace, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, append([]string{"-workspace", workspace}, args...)...)
		cmd.Env = append(os.Environ(), "HYPERKUBE_CACHE="+cache)
		return cmd
	}

	// From before the first download to after the last package.
	for _, after := range []time.Duration{time.Second, 8 * time.Second, 20 * time.Second, 40 * time.Second} {
		cmd := command("-setup")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		waitForExit(t, cache)
		if roots := glob(t, cache, "roots/*/packages.tsv"); len(roots) > 0 && !strings.HasSuffix(filepath.Dir(roots[0]), ".new") {
			t.Fatalf("a root exists after %s, before it can be complete: %q", after, roots)
		}
	}

	interrupted := command("-setup")
	if err := interrupted.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	if err := interrupted.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := interrupted.Wait(); exitCode(err) != 1 {
		t.Errorf("interrupted: %v, want exit status 1", err)
	}
	waitForExit(t, cache)
	if left := glob(t, cache, "*/*.new"); len(left) > 0 {
		t.Errorf("an interrupted process left %q", left)
	}

	var both sync.WaitGroup
	var output [2]bytes.Buffer
	for i := range output {
		both.Go(func() {
			cmd := command("-setup")
			cmd.Stdout, cmd.Stderr = &output[i], &output[i]
			if err := cmd.Run(); err != nil {
				t.Errorf("concurrent process: %v:\n%s", err, &output[i])
			}
		})
	}
	both.Wait()
	if all := output[0].String() + output[1].String(); !strings.Contains(all, ", which sets up Bazel in ") {
		t.Errorf("no concurrent process waited:\n%s", all)
	}
	if left := glob(t, cache, "*/*.new", "*/*/*.new"); len(left) > 0 {
		t.Errorf("concurrent processes left %q", left)
	}
	if roots := glob(t, cache, "roots/forky-*"); len(roots) != 1 {
		t.Errorf("roots: %q, want one", roots)
	}

	start := time.Now()
	if out, err := command("-setup").CombinedOutput(); err != nil || len(out) > 0 || time.Since(start) > 5*time.Second {
		t.Errorf("a repeated setup took %s, error %v, output %s", time.Since(start), err, out)
	}

	t.Cleanup(func() {
		if err := command("--", "shutdown").Run(); err != nil {
			t.Errorf("shutting down Bazel: %v", err)
		}
	})
	if out, err := command("--", "query", "//tools/airgap").CombinedOutput(); err != nil || !strings.Contains(string(out), "//tools/airgap:airgap") {
		t.Errorf("query: %v: %s", err, out)
	}
	if err := command("--", "frobnicate").Run(); exitCode(err) != 2 {
		t.Errorf("unknown Bazel command: %v, want exit status 2", err)
	}
}

// waitForExit waits until no process has dir in its arguments.
func waitForExit(t *testing.T, dir string) {
	t.Helper()
	var running []string
	for range 50 {
		running = nil
		for _, name := range glob(t, "/proc", "[0-9]*/cmdline") {
			if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte(dir)) {
				running = append(running, strings.ReplaceAll(string(line), "\x00", " "))
			}
		}
		if running == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("still running in %s: %q", dir, running)
}

func glob(t *testing.T, dir string, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
