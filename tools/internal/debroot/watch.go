package debroot

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
	what   string // of the tasks: "Debian forky"
	report *progress.Reporter
	task   *progress.Task
	rest   []byte
	lines  []string // the last ones
	errors []string // the lines that say that they are
}

// keptLines are enough to see what went wrong.
const keptLines = 6

var (
	announced = regexp.MustCompile(`^\d+ upgraded, (\d+) newly installed`)
	fetching  = regexp.MustCompile(`^Get:\d+ \S+ \S+ \S+ (\S+) `)
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
	switch {
	case line == "I: running apt-get update...":
		w.next("updating the package lists", "", 0)
	case announced.MatchString(line):
		// The essential packages come first, then the others.
		if n, err := strconv.ParseInt(announced.FindStringSubmatch(line)[1], 10, 64); err == nil {
			w.next("installing", "packages", n)
		}
	case w.task == nil:
	case fetching.MatchString(line):
		w.task.Detail("getting " + fetching.FindStringSubmatch(line)[1])
	case doing.MatchString(line):
		m := doing.FindStringSubmatch(line)
		w.task.Detail(strings.ToLower(m[1]) + " " + m[2])
		if m[1] == "Setting up" {
			w.task.Add(1)
		}
	}
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
