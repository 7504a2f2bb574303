package gotool

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
)

// Build runs "go build -v" and calls compiling with the path of each package that
// it compiles. The error includes the other output.
func Build(cmd *exec.Cmd, compiling func(pkg string)) error {
	return Run(cmd, nil, func(stderr io.Reader, log func(string)) error { return EachPackage(stderr, log, compiling) })
}

// EachPackage parses the output of a go command with -v: paths of packages that it
// compiles, one per line, and other lines for log.
func EachPackage(r io.Reader, log, compiling func(string)) error {
	lines := bufio.NewScanner(r)
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

// CountPackages returns the number of packages that a "go list" command lists.
func CountPackages(cmd *exec.Cmd) (int64, error) {
	out, err := Output(cmd)
	return int64(strings.Count(string(out), "\n")), err
}
