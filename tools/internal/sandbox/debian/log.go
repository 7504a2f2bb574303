package debian

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// logParser is a writer for the output of mmdebstrap. It reports progress and
// keeps error messages.
type logParser struct {
	name     string // prefix of progress messages: "Debian forky"
	report   *progress.Reporter
	task     *progress.Task
	packages int64 // announced by apt, installation not yet started
	rest     []byte
	lines    []string // last lines
	errors   []string // lines that report errors
}

// keptLines is the number of last lines that an error contains.
const keptLines = 6

// Messages of apt and dpkg, first for the essential packages, then for the rest.
var (
	toInstall  = regexp.MustCompile(`^\d+ upgraded, (\d+) newly installed`)
	toDownload = regexp.MustCompile(`^Need to get ([0-9.]+) ([kMG]?B)`)
	downloaded = regexp.MustCompile(`^Get:\d+ \S+ \S+ \S+ (\S+) .*\[([0-9.]+) ([kMG]?B)\]$`)
	installing = regexp.MustCompile(`^(Unpacking|Setting up) ([^ :]+)`)
)

func (w *logParser) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.line(strings.TrimRight(string(line), "\r "))
		w.rest = rest
	}
}

func (w *logParser) line(line string) {
	if line == "" {
		return
	}
	w.lines = append(w.lines, line)
	if len(w.lines) > keptLines {
		w.lines = w.lines[1:]
	}
	if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "dpkg: error") {
		w.errors = append(w.errors, line)
	}
	if line == "I: running apt-get update..." {
		w.next("updating the package lists", "", 0)
	} else if m := toInstall.FindStringSubmatch(line); m != nil {
		w.packages, _ = strconv.ParseInt(m[1], 10, 64)
	} else if m := toDownload.FindStringSubmatch(line); m != nil && m[1] != "0" {
		w.next("downloading packages", "bytes", size(m[1], m[2]))
	} else if m := downloaded.FindStringSubmatch(line); m != nil && w.task != nil {
		w.task.Detail(m[1])
		w.task.Add(size(m[2], m[3]))
	} else if m := installing.FindStringSubmatch(line); m != nil {
		if w.packages > 0 {
			w.next(fmt.Sprintf("installing %d packages", w.packages), "steps", 2*w.packages)
			w.packages = 0
		}
		if w.task != nil {
			w.task.Detail(strings.ToLower(m[1]) + " " + m[2])
			w.task.Add(1)
		}
	}
}

// size parses a number of bytes in apt's notation. It returns 0 for an unknown
// notation, because the result serves progress alone.
func size(number, unit string) int64 {
	n, _ := strconv.ParseFloat(number, 64)
	return int64(n * map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
}

// next ends the current task and starts another.
func (w *logParser) next(action, unit string, total int64) {
	w.done()
	w.task = w.report.Start(fmt.Sprintf("%s: %s", w.name, action), unit, total)
}

func (w *logParser) done() {
	if w.task != nil {
		w.task.Done()
		w.task = nil
	}
}

// failed marks the current task as failed and returns the errors, or else the
// last lines, on one line.
func (w *logParser) failed() string {
	if w.task != nil {
		w.task.Fail()
		w.task = nil
	}
	lines := w.errors
	if len(lines) == 0 {
		lines = w.lines
	}
	return strings.Join(lines, "; ")
}
