// Package progress reports the progress of long tasks: how much of how much is
// done, the elapsed time and the estimated remaining time. It draws a bar on a
// terminal, and writes lines for a log elsewhere: one at the start, one every ten
// seconds and one at the end.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/redact"
	"golang.org/x/term"
)

// Interval is the time between two lines about a task without a bar.
const Interval = 10 * time.Second

// Reporter reports the progress of any number of concurrent tasks to one stream.
// It is safe for concurrent use.
type Reporter struct {
	w    io.Writer
	bars bool

	mu  sync.Mutex
	bar *Task // the task with the bar; other tasks write lines
}

// New returns a Reporter that writes to w. It draws bars if w is a terminal, unless
// getenv is nil, NO_COLOR is set or TERM is "dumb".
func New(w io.Writer, getenv func(string) string) *Reporter {
	file, ok := w.(*os.File)
	bars := ok && term.IsTerminal(int(file.Fd())) &&
		getenv != nil && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return &Reporter{w: w, bars: bars}
}

// Start begins a task, such as "fetching modules", and reports it. Total is in
// units, such as "modules"; the unit "bytes" is shown as MiB. A total of 0 is
// unknown. Without a unit only the time is reported.
func (r *Reporter) Start(name, unit string, total int64) *Task {
	t := &Task{r: r, name: name, unit: unit, total: max(total, 0), start: time.Now(), end: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bars && r.bar == nil {
		r.bar = t
		t.draw = newBar(r.w, name, unit, t.total)
		return t
	}
	r.writeLine(t.startLine())
	go func() {
		tick := time.Tick(Interval)
		for {
			select {
			case <-t.end:
				return
			case <-tick:
				t.report()
			}
		}
	}()
	return t
}

// Logf writes a line, without the credentials of URLs, and keeps the bar intact.
func (r *Reporter) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeLine(redact.URLs(fmt.Sprintf(format, args...)))
}

// writeLine writes s. The caller holds r.mu.
func (r *Reporter) writeLine(s string) {
	if r.bar != nil {
		r.bar.draw.Clear()
	}
	fmt.Fprintln(r.w, s)
}
