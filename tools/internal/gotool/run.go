package gotool

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Output runs a command and returns what it prints. The error has the end of
// what it says besides.
func Output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, lastLines(stderr.String()))
	}
	return out, nil
}

// Run runs a command and lets read have what it says; what read passes on is
// for the error. Follow, unless nil, is told the process's number, and to stop.
func Run(cmd *exec.Cmd, follow func(pid int) (stop func()), read func(stderr io.Reader, said func(string)) error) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if follow != nil {
		defer follow(cmd.Process.Pid)()
	}
	var said []string
	readErr := read(stderr, func(line string) { said = append(said, line) })
	io.Copy(io.Discard, stderr) // a program must not block on what is not read
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(strings.Join(said, "\n")))
	}
	return readErr
}

// lastLines is the end of what a program said, on one line.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "; ")
}
