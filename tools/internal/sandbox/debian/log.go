package debian

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// watcher reads what mmdebstrap says and tells how far it is. It is given
// everything through Write.
type watcher struct {
	what     string // of the tasks: "Debian forky"
	report   *progress.Reporter
	task     *progress.Task
	packages int64 // announced and not yet begun
	rest     []byte
	lines    []string // the last ones
	errors   []string // the lines that say that they are
}

// keptLines are enough to see what went wrong.
const keptLines = 6

// What apt and dpkg say; the essential packages come first, then the others.
var (
	announced = regexp.MustCompile(`^\d+ upgraded, (\d+) newly installed`)
	needed    = regexp.MustCompile(`^Need to get ([0-9.]+) ([kMG]?B)`)
	fetched   = regexp.MustCompile(`^Get:\d+ \S+ \S+ \S+ (\S+) .*\[([0-9.]+) ([kMG]?B)\]$`)
	doing     = regexp.MustCompile(`^(Unpacking|Setting up) ([^ :]+)`)
)

func (w *watcher) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		w.line(strings.TrimRight(string(line), "\r "))
		w.rest = rest
	}
}

func (w *watcher) line(line string) {
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
	} else if m := announced.FindStringSubmatch(line); m != nil {
		w.packages, _ = strconv.ParseInt(m[1], 10, 64)
	} else if m := needed.FindStringSubmatch(line); m != nil && m[1] != "0" {
		w.next("downloading packages", "bytes", size(m[1], m[2]))
	} else if m := fetched.FindStringSubmatch(line); m != nil && w.task != nil {
		w.task.Detail(m[1])
		w.task.Add(size(m[2], m[3]))
	} else if m := doing.FindStringSubmatch(line); m != nil {
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

// size is a number of bytes as apt says it.
func size(number, unit string) int64 {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	return int64(n * map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
}

// next ends the task under way and begins another.
func (w *watcher) next(what, unit string, total int64) {
	w.done()
	w.task = w.report.Start(fmt.Sprintf("%s: %s", w.what, what), unit, total)
}

func (w *watcher) done() {
	if w.task != nil {
		w.task.Done()
		w.task = nil
	}
}

// failed ends the task under way and returns, on one line, what went wrong.
func (w *watcher) failed() string {
	if w.task != nil {
		w.task.Fail()
		w.task = nil
	}
	said := w.errors
	if len(said) == 0 {
		said = w.lines
	}
	return strings.Join(said, "; ")
}
