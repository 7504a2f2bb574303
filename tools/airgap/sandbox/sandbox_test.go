package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// Outside of Bazel there is no sandbox to test, and Linux's is the one meant.
func underBazel(t *testing.T) {
	if os.Getenv("TEST_SRCDIR") == "" || runtime.GOOS != "linux" {
		t.Skip("not run by Bazel on Linux")
	}
}

func TestActionsAreShutIn(t *testing.T) {
	underBazel(t)
	found, err := os.ReadFile("found_in_action.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		t.Errorf("an action found ways out of its sandbox:\n%s", found)
	}
	said, err := os.ReadFile("dial_in_action.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := "sandbox: opening a socket: dial udp 192.0.2.1:9: connect: network is unreachable\nexit status 1\n"; string(said) != want {
		t.Errorf("an action that opens a socket came to %q, want %q", said, want)
	}
}

func TestTestsAreShutIn(t *testing.T) {
	underBazel(t)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	found, err := waysOut(t.Context(), cli.Env{Getenv: os.Getenv, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range found {
		t.Errorf("a test found a way out of its sandbox: %s", way)
	}
}
