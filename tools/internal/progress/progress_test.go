package progress

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// handClock goes on only when the test says so.
type handClock struct {
	mu    sync.Mutex
	t     time.Time
	ticks []chan time.Time
}

func (c *handClock) clock() clock {
	return clock{
		now: func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t },
		tick: func(time.Duration) (<-chan time.Time, func()) {
			ch := make(chan time.Time)
			c.ticks = append(c.ticks, ch)
			return ch, func() {}
		},
	}
}

// pass lets d go by.
func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestLines(t *testing.T) {
	tests := []struct {
		name, unit string
		total      int64
		steps      func(*Task, func(time.Duration))
		want       []string
	}{
		{
			name: "known total", unit: "modules", total: 40,
			steps: func(task *Task, tick func(time.Duration)) {
				task.Add(10)
				task.Detail("k8s.io/api")
				tick(10 * time.Second)
				task.Add(30)
				task.Done()
			},
			want: []string{
				"fetching: started, 40 modules",
				"fetching: 10 of 40 modules (25%), 10s so far, about 30s left, k8s.io/api",
				"fetching: done, 40 modules in 10s",
			},
		},
		{
			name: "unknown total", unit: "packages",
			steps: func(task *Task, tick func(time.Duration)) {
				tick(10 * time.Second)
				task.Add(7)
				tick(10 * time.Second)
				task.Done()
			},
			want: []string{
				"fetching: started",
				"fetching: 0 packages, 10s so far",
				"fetching: 7 packages, 20s so far",
				"fetching: done, 7 packages in 20s",
			},
		},
		{
			name: "bytes, failed", unit: "bytes", total: 10 << 20,
			steps: func(task *Task, tick func(time.Duration)) {
				task.Add(5<<20 + 1<<19)
				task.Fail()
				task.Done()
				task.Add(1)
			},
			want: []string{
				"fetching: started, 10.0 MiB",
				"fetching: stopped at 5.5 of 10.0 MiB (55%) after 0s",
			},
		},
		{
			name: "no unit",
			steps: func(task *Task, tick func(time.Duration)) {
				tick(10 * time.Second)
				task.Fail()
			},
			want: []string{"fetching: started", "fetching: 10s so far", "fetching: stopped after 10s"},
		},
		{
			name: "nothing counted", unit: "steps",
			steps: func(task *Task, tick func(time.Duration)) { task.Done() },
			want:  []string{"fetching: started", "fetching: done in 0s"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			hand := &handClock{t: time.Unix(0, 0)}
			r := &Reporter{w: &out, clock: hand.clock()}
			task := r.Start("fetching", test.unit, test.total)
			test.steps(task, func(d time.Duration) {
				hand.pass(d)
				task.report()
			})
			if got, want := out.String(), strings.Join(test.want, "\n")+"\n"; got != want {
				t.Errorf("lines:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestTickerReports(t *testing.T) {
	var out lockedBuffer
	hand := &handClock{t: time.Unix(0, 0)}
	r := &Reporter{w: &out, clock: hand.clock()}
	task := r.Start("a", "steps", 2)
	other := r.Start("b", "steps", 2)
	hand.pass(Interval)
	// The second tick is taken only after the first was reported.
	hand.ticks[0] <- hand.t
	hand.ticks[0] <- hand.t
	task.Done()
	other.Done()
	r.Logf("%d said", 1)
	if got, want := strings.Count(out.String(), "a: 0 of 2 steps (0%), 10s so far\n"), 1; got < want {
		t.Errorf("ticks were reported %d times, want at least %d, in:\n%s", got, want, out.String())
	}
	if !strings.HasSuffix(out.String(), "b: done, 2 steps in 10s\n1 said\n") {
		t.Errorf("the end is missing in:\n%s", out.String())
	}
}

func TestBarBelongsToOneTask(t *testing.T) {
	var out bytes.Buffer
	hand := &handClock{t: time.Unix(0, 0)}
	r := &Reporter{w: &out, clock: hand.clock(), bars: true}
	first := r.Start("first", "steps", 2)
	second := r.Start("second", "steps", 2)
	if first.draw == nil || second.draw != nil {
		t.Fatalf("bar of first %v and second %v, want one for the first only", first.draw != nil, second.draw != nil)
	}
	second.Done()
	first.Add(1)
	first.Detail("x")
	first.Done()
	if third := r.Start("third", "bytes", 0); third.draw == nil {
		t.Error("the bar was not free again after its task had ended")
	}
	for _, want := range []string{"second: started, 2 steps\n", "first: done, 2 steps in 0s\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %q", want, out.String())
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
