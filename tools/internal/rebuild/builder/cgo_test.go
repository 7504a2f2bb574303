package builder

import (
	"strings"
	"testing"
)

// The objects of gcc that supports -fdebug-prefix-map, and of one that does not.
func TestBuildDirPattern(t *testing.T) {
	for object, want := range map[string]bool{
		"GNU C17 10.2.1 20210110\x00/tmp/go-build\x00/_/GOROOT/src/runtime/cgo\x00": false,
		"\x00/tmp/go-build2092463537/b072\x00GNU C17 10.2.1 20210110 -m64 -mtune":   true,
		"\x00/tmp.k8s/go-build7/b072/_cgo_export.c":                                 true,
	} {
		if got := buildDirPattern.MatchString(object); got != want {
			t.Errorf("%q: got %v, want %v", object, got, want)
		}
	}
}

func TestOverridesTrimpath(t *testing.T) {
	for _, test := range []struct {
		args string
		want bool
	}{
		{"install -gcflags=all=-trimpath=/workspace -tags=selinux cmd/kubelet", true}, // 1.29
		{"install -trimpath -gcflags= cmd/kubelet", false},                            // 1.30
		{"install -trimpath -gcflags=all=-trimpath=/x cmd/kubelet", false},
		{"install cmd/kubelet", false},
	} {
		if got := overridesTrimpath(strings.Fields(test.args)); got != test.want {
			t.Errorf("%s: %v, want %v", test.args, got, test.want)
		}
	}
}
