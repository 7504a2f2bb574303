package rebuild

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"
)

func TestIsTransient(t *testing.T) {
	for script, want := range map[string]bool{
		"echo undefined: x; exit 1":                          false,
		"kill -9 $$":                                         true,
		"echo 'compile: signal: killed'; exit 1":             true,
		"echo 'write x: no space left on device'; exit 1":    true,
		"echo 'fork: cannot allocate memory'; exit 1":        true,
		"echo 'fatal error: runtime: out of memory'; exit 2": true,
	} {
		out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput()
		if got := isTransient(fmt.Errorf("compiling: %w: %s", err, out)); got != want {
			t.Errorf("%s: transient %v, want %v", script, got, want)
		}
	}
	if !isTransient(errors.New("dial tcp: connection refused")) {
		t.Error("an error of no command is not transient")
	}
}

func TestFailWithoutCredentials(t *testing.T) {
	reported := ""
	r := Rebuilder{Report: func(o Outcome) { reported = o.Reason }}
	err := errors.New("downloading \"https://user:secret@proxy.example/x\":\n 404")
	got, err := r.Fail(t.Context(), []Job{{}}, err, Failure{})
	if want := `downloading "https://REDACTED@proxy.example/x": 404`; err != nil || len(got) != 1 || got[0].Reason != want || reported != want {
		t.Errorf("got %v, %v, reported %q", got, err, reported)
	}
}
