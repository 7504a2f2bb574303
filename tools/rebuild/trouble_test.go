package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// What gcc leaves of its folder where it is told a name for it, and where not.
func TestNamesItsFolder(t *testing.T) {
	for archive, want := range map[string]bool{
		"GNU C17 10.2.1 20210110\x00/tmp/go-build\x00/_/GOROOT/src/runtime/cgo\x00": false,
		"\x00/tmp/go-build2092463537/b072\x00GNU C17 10.2.1 20210110 -m64 -mtune":   true,
		"\x00/tmp.k8s/go-build7/b072/_cgo_export.c":                                 true,
	} {
		if got := namesItsFolder([]byte(archive)); got != want {
			t.Errorf("%q: got %v, want %v", archive, got, want)
		}
	}
}

func TestOverridesTrimming(t *testing.T) {
	for _, test := range []struct {
		args string
		want bool
	}{
		{"install -gcflags=all=-trimpath=/workspace -tags=selinux cmd/kubelet", true}, // 1.29
		{"install -trimpath -gcflags= cmd/kubelet", false},                            // 1.30
		{"install -trimpath -gcflags=all=-trimpath=/x cmd/kubelet", false},
		{"install cmd/kubelet", false},
	} {
		if got := overridesTrimming(strings.Fields(test.args)); got != test.want {
			t.Errorf("%s: %v, want %v", test.args, got, test.want)
		}
	}
}

func TestPassing(t *testing.T) {
	for script, want := range map[string]bool{
		"echo undefined: x; exit 1":                          false,
		"kill -9 $$":                                         true,
		"echo 'compile: signal: killed'; exit 1":             true,
		"echo 'write x: no space left on device'; exit 1":    true,
		"echo 'fork: cannot allocate memory'; exit 1":        true,
		"echo 'fatal error: runtime: out of memory'; exit 2": true,
	} {
		out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput()
		if got := passing(fmt.Errorf("compiling: %w: %s", err, out)); got != want {
			t.Errorf("%s: passing %v, want %v", script, got, want)
		}
	}
	if !passing(errors.New("dial tcp: connection refused")) {
		t.Error("what no program said is a result")
	}
}
