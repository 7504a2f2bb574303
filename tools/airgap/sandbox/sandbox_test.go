package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// skipOutsideSandbox skips a test that Bazel's Linux sandbox does not run.
func skipOutsideSandbox(t *testing.T) {
	if os.Getenv("TEST_SRCDIR") == "" || runtime.GOOS != "linux" {
		t.Skip("not run in Bazel's Linux sandbox")
	}
}

func TestActionsAreIsolated(t *testing.T) {
	skipOutsideSandbox(t)
	leaks, err := os.ReadFile("leaks_in_action.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(leaks) > 0 {
		t.Errorf("leaks in the sandbox of an action:\n%s", leaks)
	}
	output, err := os.ReadFile("dial_in_action.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := "sandbox: opening a socket: dial udp 192.0.2.1:9: connect: network is unreachable\nexit status 1\n"; string(output) != want {
		t.Errorf("an action that opens a socket printed %q, want %q", output, want)
	}
}

func TestTestsAreIsolated(t *testing.T) {
	skipOutsideSandbox(t)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	leaks, err := sandboxLeaks(t.Context(), cli.Env{Getenv: os.Getenv, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks {
		t.Errorf("leak in the sandbox of a test: %s", leak)
	}
}
