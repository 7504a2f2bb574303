package progress

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/term"
)

func TestLines(t *testing.T) {
	tests := []struct {
		name, unit string
		total      int64
		steps      func(*Task, func())
		want       []string
	}{
		{
			name: "known total", unit: "modules", total: 40,
			steps: func(task *Task, tick func()) {
				task.Add(10)
				task.Detail("k8s.io/api")
				tick()
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
			steps: func(task *Task, tick func()) {
				tick()
				task.Add(7)
				tick()
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
			steps: func(task *Task, tick func()) {
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
			steps: func(task *Task, tick func()) {
				tick()
				task.Fail()
			},
			want: []string{"fetching: started", "fetching: 10s so far", "fetching: stopped after 10s"},
		},
		{
			name: "nothing counted", unit: "steps",
			steps: func(task *Task, tick func()) { task.Done() },
			want:  []string{"fetching: started", "fetching: done in 0s"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			synctest.Test(t, func(*testing.T) {
				test.steps(New(&out, nil).Start("fetching", test.unit, test.total), waitInterval)
			})
			if got, want := out.String(), strings.Join(test.want, "\n")+"\n"; got != want {
				t.Errorf("lines:\n%swant:\n%s", got, want)
			}
		})
	}
}

// waitInterval waits until each task has written a line. The test has a fake clock.
func waitInterval() {
	time.Sleep(Interval)
	synctest.Wait()
}

func TestConcurrentTasks(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		r := New(&out, nil)
		a, b := r.Start("a", "steps", 2), r.Start("b", "steps", 2)
		waitInterval()
		a.Done()
		waitInterval()
		b.Done()
		r.Logf("line %d", 1)
	})
	for text, want := range map[string]int{
		"a: 0 of 2 steps (0%), 10s so far\n": 1,
		"b: 0 of 2 steps (0%), 10s so far\n": 1,
		"a: done, 2 steps in 10s\n":          1,
		"a: 0 of 2 steps (0%), 20s so far\n": 0,
		"b: 0 of 2 steps (0%), 20s so far\n": 1,
		"b: done, 2 steps in 20s\nline 1\n":  1,
	} {
		if got := strings.Count(out.String(), text); got != want {
			t.Errorf("got %q %d times, want %d, in:\n%s", text, got, want, out.String())
		}
	}
}

func TestOneBarAtATime(t *testing.T) {
	var out bytes.Buffer
	r := &Reporter{w: &out, bars: true}
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
