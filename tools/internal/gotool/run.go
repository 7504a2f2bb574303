package gotool

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Output runs a command and returns its output. The error includes the last lines
// of stderr.
func Output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, lastLines(stderr.String()))
	}
	return out, nil
}

// Run runs a command whose stderr read parses. The error includes the last lines
// that read logs. Monitor, unless nil, observes the process until stop is called.
func Run(cmd *exec.Cmd, monitor func(pid int) (stop func()), read func(stderr io.Reader, log func(line string)) error) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if monitor != nil {
		defer monitor(cmd.Process.Pid)()
	}
	var lines []string
	readErr := read(stderr, func(line string) { lines = append(lines, line) })
	io.Copy(io.Discard, stderr) // a full pipe would block the process
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(strings.Join(lines, "\n")))
	}
	return readErr
}

// EachPackage returns a parser, for [Run], of the output of a go command with -v:
// paths of packages that it compiles, one per line, and other lines to log.
func EachPackage(compiling func(pkg string)) func(stderr io.Reader, log func(line string)) error {
	return func(stderr io.Reader, log func(string)) error {
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := lines.Text(); strings.ContainsAny(line, " :") || strings.HasPrefix(line, "#") {
				log(line)
			} else {
				compiling(line)
			}
		}
		return lines.Err()
	}
}

// lastLines returns the last lines of s as one line.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "; ")
}
