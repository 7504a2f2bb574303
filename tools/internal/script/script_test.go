package script

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestCommands(t *testing.T) { Run(t, testscript.Params{Dir: "testdata"}) }

func TestFailures(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"exits 1 sh -c 'exit 0'", "exit code 0, want 1"},
		{"exits 0 sh -c 'exit 1'", "exit code 1, want 0"},
		{"exits 1 no-such-command", "not found"},
		{"exits 1", "usage: exits"},
		{"! exits 0 sh -c 'exit 0'", "usage: exits"},
		{"truncate none 1", "no such file"},
		{"truncate file", "usage: truncate"},
	} {
		file := filepath.Join(t.TempDir(), "a.txtar")
		if err := os.WriteFile(file, []byte(test.line), 0o644); err != nil {
			t.Fatal(err)
		}
		r := &recorder{}
		testscript.RunT(r, params(testscript.Params{Files: []string{file}}))
		if log := r.log.String(); !r.failed || !strings.Contains(log, test.want) {
			t.Errorf("%s: failed is %v, got %q, want %q", test.line, r.failed, log, test.want)
		}
	}
}

// recorder runs scripts as testing.T does, and keeps their failure.
type recorder struct {
	log    strings.Builder
	failed bool
}

var errFailed = errors.New("failed")

func (r *recorder) Skip(args ...any)  { r.Fatal(args...) }
func (r *recorder) Fatal(args ...any) { r.Log(args...); r.FailNow() }
func (r *recorder) Parallel()         {}
func (r *recorder) Log(args ...any)   { fmt.Fprintln(&r.log, args...) }
func (r *recorder) FailNow()          { r.failed = true; panic(errFailed) }
func (r *recorder) Verbose() bool     { return false }
func (r *recorder) Run(_ string, f func(testscript.T)) {
	defer func() {
		if err := recover(); err != nil && err != errFailed {
			panic(err)
		}
	}()
	f(r)
}
