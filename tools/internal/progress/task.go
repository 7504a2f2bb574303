package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Task is a task in progress. Done or Fail ends it; later calls have no effect.
type Task struct {
	r     *Reporter
	name  string
	unit  string
	total int64
	start time.Time
	draw  *progressbar.ProgressBar // nil if the task writes lines
	end   chan struct{}

	// guarded by r.mu
	done   int64
	detail string
	ended  bool
}

// Add adds n units to the number done.
func (t *Task) Add(n int64) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.ended {
		return
	}
	t.done += n
	if t.draw != nil {
		t.draw.Add64(n)
	}
}

// Detail sets the current item, such as "k8s.io/api". The next line shows it, or the
// bar at once.
func (t *Task) Detail(s string) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.ended {
		return
	}
	t.detail = s
	if t.draw != nil {
		t.draw.Describe(t.name + ": " + s)
	}
}

// Done ends the task as successful.
func (t *Task) Done() {
	t.finish(func(elapsed time.Duration) string {
		if t.unit == "" || t.done == 0 && t.total == 0 {
			return fmt.Sprintf("%s: done in %s", t.name, round(elapsed))
		}
		return fmt.Sprintf("%s: done, %s in %s", t.name, amount(max(t.done, t.total), t.unit), round(elapsed))
	})
}

// Fail ends the task as failed. The caller reports the error.
func (t *Task) Fail() {
	t.finish(func(elapsed time.Duration) string {
		if t.unit == "" {
			return fmt.Sprintf("%s: stopped after %s", t.name, round(elapsed))
		}
		return fmt.Sprintf("%s: stopped at %s after %s", t.name, t.counts(), round(elapsed))
	})
}

func (t *Task) finish(last func(time.Duration) string) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	close(t.end)
	t.r.writeLine(last(time.Since(t.start)))
	if t.r.bar == t {
		t.r.bar = nil
	}
}

// report writes a line about a task in progress.
func (t *Task) report() {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.ended {
		return
	}
	elapsed := time.Since(t.start)
	parts := []string{t.name + ": " + round(elapsed).String() + " so far"}
	if t.unit != "" {
		parts = []string{t.name + ": " + t.counts(), round(elapsed).String() + " so far"}
	}
	if t.done > 0 && t.total > t.done {
		left := time.Duration(float64(elapsed) / float64(t.done) * float64(t.total-t.done))
		parts = append(parts, "about "+round(left).String()+" left")
	}
	if t.detail != "" {
		parts = append(parts, t.detail)
	}
	t.r.writeLine(strings.Join(parts, ", "))
}

func (t *Task) startLine() string {
	if t.total == 0 {
		return t.name + ": started"
	}
	return fmt.Sprintf("%s: started, %s", t.name, amount(t.total, t.unit))
}

// counts returns "3 of 12 modules", or "3 modules" if the total is unknown.
func (t *Task) counts() string {
	if t.total == 0 {
		return amount(t.done, t.unit)
	}
	return fmt.Sprintf("%s of %s (%d%%)", number(t.done, t.unit), amount(t.total, t.unit), t.done*100/t.total)
}

func amount(n int64, unit string) string {
	if unit == "bytes" {
		return number(n, unit) + " MiB"
	}
	return number(n, unit) + " " + unit
}

func number(n int64, unit string) string {
	if unit == "bytes" {
		return fmt.Sprintf("%.1f", float64(n)/(1<<20))
	}
	return fmt.Sprint(n)
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }

func newBar(w io.Writer, name, unit string, total int64) *progressbar.ProgressBar {
	if total == 0 {
		total = -1 // draws a spinner
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(name),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionShowCount(),
	}
	if unit == "bytes" {
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true))
	}
	return progressbar.NewOptions64(total, options...)
}
