// Package script runs the testscript files of commands.
package script

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/golden"
	"github.com/rogpeppe/go-internal/testscript"
)

// Run runs the scripts of p with these commands in addition to those of p and
// of testscript:
//
//	exits CODE COMMAND...  fails unless the command exits with CODE, which is
//	                       128 and the signal's number after a signal
//	truncate FILE N        truncates a file to N bytes, or extends it with zeros
//	flip FILE              changes the byte in the middle of a file
//
// With -update, files that cmp compares with the output are rewritten.
func Run(t *testing.T, p testscript.Params) {
	t.Helper()
	testscript.Run(t, params(p))
}

func params(p testscript.Params) testscript.Params {
	commands := map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "truncate": truncate, "flip": flip}
	maps.Copy(commands, p.Cmds)
	p.Cmds = commands
	p.UpdateScripts = golden.Update()
	return p
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			got = 128 + int(status.Signal())
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d: %v", got, want, err)
	}
}

func truncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	file := ts.MkAbs(args[0])
	raw, err := os.ReadFile(file)
	ts.Check(err)
	if len(raw) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	raw[len(raw)/2] ^= 1
	ts.Check(os.WriteFile(file, raw, 0o644))
}
