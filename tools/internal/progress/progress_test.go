package progress

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/term"
)

// fakeClock advances only by a call of advance.
type fakeClock struct {
	mu    sync.Mutex
	t     time.Time
	ticks []chan time.Time
}

func (c *fakeClock) clock() clock {
	return clock{
		now: func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t },
		tick: func(time.Duration) (<-chan time.Time, func()) {
			ch := make(chan time.Time)
			c.ticks = append(c.ticks, ch)
			return ch, func() {}
		},
	}
}

func (c *fakeClock) advance(d time.Duration) {
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
			fake := &fakeClock{t: time.Unix(0, 0)}
			r := &Reporter{w: &out, clock: fake.clock()}
			task := r.Start("fetching", test.unit, test.total)
			test.steps(task, func(d time.Duration) {
				fake.advance(d)
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
	fake := &fakeClock{t: time.Unix(0, 0)}
	r := &Reporter{w: &out, clock: fake.clock()}
	task := r.Start("a", "steps", 2)
	other := r.Start("b", "steps", 2)
	fake.advance(Interval)
	// The second tick is received only after the first was reported.
	fake.ticks[0] <- fake.t
	fake.ticks[0] <- fake.t
	task.Done()
	other.Done()
	r.Logf("line %d", 1)
	if got, want := strings.Count(out.String(), "a: 0 of 2 steps (0%), 10s so far\n"), 1; got < want {
		t.Errorf("got %d reports, want at least %d, in:\n%s", got, want, out.String())
	}
	if !strings.HasSuffix(out.String(), "b: done, 2 steps in 10s\nline 1\n") {
		t.Errorf("want the last lines, got:\n%s", out.String())
	}
}

func TestOneBarAtATime(t *testing.T) {
	var out bytes.Buffer
	fake := &fakeClock{t: time.Unix(0, 0)}
	r := &Reporter{w: &out, clock: fake.clock(), bars: true}
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
		t.Error("no bar after the first task ended")
	}
	for _, want := range []string{"second: started, 2 steps\n", "first: done, 2 steps in 0s\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want %q in it", out.String(), want)
		}
	}
}

func TestBarsOnlyOnTerminals(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudoterminal: %v", err)
	}
	defer terminal.Close()
	if !term.IsTerminal(int(terminal.Fd())) {
		t.Skip("/dev/ptmx is not a terminal")
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	getenv := func(name, value string) func(string) string {
		return func(key string) string {
			if key == name {
				return value
			}
			return ""
		}
	}
	for _, test := range []struct {
		name   string
		w      io.Writer
		getenv func(string) string
		want   bool
	}{
		{"terminal", terminal, getenv("TERM", "xterm"), true},
		{"NO_COLOR", terminal, getenv("NO_COLOR", "1"), false},
		{"dumb terminal", terminal, getenv("TERM", "dumb"), false},
		{"no environment", terminal, nil, false},
		{"file", file, getenv("TERM", "xterm"), false},
		{"buffer", new(bytes.Buffer), getenv("TERM", "xterm"), false},
	} {
		if got := New(test.w, test.getenv).bars; got != test.want {
			t.Errorf("%s: bars are %v, want %v", test.name, got, test.want)
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
