// Package progress tells a person how far a long step is: what, how much of
// how much, how long it took and about how long it will take. On a terminal
// that is a bar; anywhere else, lines that make sense in a log: one at the
// start, one every ten seconds, one at the end.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Interval is the time between two lines about a task where there is no bar.
const Interval = 10 * time.Second

// A Reporter writes the progress of any number of tasks, which may run at
// once, to one stream. Its methods may be called from several goroutines.
type Reporter struct {
	w     io.Writer
	clock clock
	bars  bool

	mu  sync.Mutex
	bar *Task // the task that owns the terminal's bar; the others write lines
}

// New makes a Reporter that writes to w, with bars if w is a terminal.
func New(w io.Writer) *Reporter {
	f, isFile := w.(*os.File)
	return &Reporter{w: w, clock: systemClock(), bars: isFile && term.IsTerminal(int(f.Fd()))}
}

// Start begins a task and says so. What names it ("fetching modules"), unit
// what total counts ("modules"); the unit "bytes" is printed as MiB. A total of
// 0 means that nobody knows, and no unit that there is nothing to count.
func (r *Reporter) Start(what, unit string, total int64) *Task {
	t := &Task{r: r, what: what, unit: unit, total: max(total, 0), start: r.clock.now(), end: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bars && r.bar == nil {
		r.bar = t
		t.draw = newBar(r.w, what, unit, t.total)
		return t
	}
	r.line(t.startLine())
	tick, stop := r.clock.tick(Interval)
	go func() {
		defer stop()
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

// Logf writes a line of its own, without breaking a bar.
func (r *Reporter) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line(fmt.Sprintf(format, args...))
}

// line writes s; r.mu is held.
func (r *Reporter) line(s string) {
	if r.bar != nil {
		r.bar.draw.Clear()
	}
	fmt.Fprintln(r.w, s)
}

// clock is where the time comes from.
type clock struct {
	now  func() time.Time
	tick func(time.Duration) (<-chan time.Time, func())
}

func systemClock() clock {
	return clock{
		now: time.Now,
		tick: func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		},
	}
}
