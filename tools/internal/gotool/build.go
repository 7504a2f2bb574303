package gotool

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
)

// Build runs a go command that was given -v and calls working with the name of
// each package as the command comes to it. The error has what else it said.
func Build(cmd *exec.Cmd, working func(pkg string)) error {
	return Run(cmd, nil, func(stderr io.Reader, said func(string)) error { return EachPackage(stderr, said, working) })
}

// EachPackage reads what a go command says with -v: names of packages being
// worked on, a line each, and other things.
func EachPackage(r io.Reader, said, working func(string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); strings.ContainsAny(line, " :") || strings.HasPrefix(line, "#") {
			said(line)
		} else {
			working(line)
		}
	}
	return lines.Err()
}

// CountPackages counts the packages that an argument list of go build is made of.
func CountPackages(cmd *exec.Cmd) (int64, error) {
	out, err := Output(cmd)
	return int64(strings.Count(string(out), "\n")), err
}
