package folder

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// runVariable makes the test binary install what it says, as a process that can
// be killed: a folder and words of a plan, separated by newlines.
const runVariable = "HYPERKUBE_TEST_INSTALL"

func TestMain(m *testing.M) {
	if run := os.Getenv(runVariable); run != "" {
		words := strings.Split(run, "\n")
		fmt.Println("go")
		if _, err := Install(context.Background(), heavy(plan(words[0], words[1:]...))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// heavy makes programs large enough for a kill to meet them half-written.
func heavy(p Plan) Plan {
	for i, program := range p.Programs {
		if c, ok := program.Content.(text); ok {
			p.Programs[i].Content = text(strings.Repeat(string(c), 1<<18))
		}
	}
	return p
}

// brief is shows with long contents cut, after a look that they are whole.
func brief(t *testing.T, dir string) string {
	t.Helper()
	words := strings.Fields(shows(t, dir))
	for i, word := range words {
		name, content, _ := strings.Cut(word, "=")
		if len(content) == 1<<18 && content == strings.Repeat(content[:1], 1<<18) {
			content = content[:1]
		} else if len(content) > 10 {
			t.Fatalf("%q has %d bytes, and not the same throughout", name, len(content))
		}
		words[i] = name + "=" + content
	}
	return strings.Join(words, " ")
}

// At whatever moment a run is killed, the folder shows the old set or the new
// one, and the next run makes the new one of it.
func TestKilledAtAnyMoment(t *testing.T) {
	limit := 10 * time.Second
	if testing.Short() {
		limit = 2 * time.Second
	}
	// What a folder had by itself, and what is then asked of it in turns.
	starts := []string{"", "a=x b=y mine=m", "mine=m a->mine b=y link->b", "d=w link->nowhere"}
	plans := []string{"a=1 b=1 link->a", "a=2 b=2 link->b", "b=3 c=3", "c=1 link->c", "d=4 a=4 b link->b"}
	dir := ""
	var old, fresh, between int
	for began := time.Now(); time.Since(began) < limit; {
		if dir == "" || rand.IntN(6) == 0 {
			dir = t.TempDir()
			put(t, dir, strings.Fields(starts[rand.IntN(len(starts))])...)
		}
		words := plans[rand.IntN(len(plans))]
		before := brief(t, dir)
		want := after(before, words, linked(dir))
		if !strings.Contains(" "+before, " b=") && strings.Contains(words, " b ") {
			continue // it is to keep what is not there
		}
		whole := install1(t, dir, words, time.Duration(rand.Int64N(int64(40*time.Millisecond))))
		switch got := brief(t, dir); {
		case got == want && before != want:
			fresh++
		case got == before && !whole:
			old++
		case got != want:
			between++
			t.Errorf("killed on the way from\n%s\nto\n%s\nit shows\n%s", before, want, got)
		}
	}
	t.Logf("killed %d times before the switch; %d times, the new set was there", old, fresh)
	if old == 0 || fresh == 0 {
		t.Errorf("want both the old and the new set to be met, got %d and %d times", old, fresh)
	}
	install1(t, dir, "a=5", time.Minute)
	clean(t, dir)
}

// linked tells which names of a folder are links to others, by whosever hand.
func linked(dir string) map[string]string {
	targets := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "link"} {
		target, _ := os.Readlink(filepath.Join(dir, name))
		if target == entryLink(name) {
			target, _ = os.Readlink(filepath.Join(dir, target))
		}
		if target != "" {
			targets[name] = filepath.Base(target)
		}
	}
	return targets
}

// after is what a folder shows that showed before, once it has what the plan
// says. Links to what changes follow it.
func after(before, words string, links map[string]string) string {
	show := map[string]string{}
	for _, word := range strings.Fields(before) {
		name, content, _ := strings.Cut(word, "=")
		show[name] = content
	}
	for _, word := range strings.Fields(words) {
		if name, content, ok := strings.Cut(word, "="); ok {
			show[name] = content
			delete(links, name)
		}
	}
	for _, word := range strings.Fields(words) {
		if name, target, ok := strings.Cut(word, "->"); ok {
			links[name] = target
		}
	}
	for name, target := range links {
		if content, ok := show[target]; ok {
			show[name] = content
		}
	}
	var all []string
	for _, name := range []string{"a", "b", "c", "d", "link", "mine"} {
		if content, ok := show[name]; ok {
			all = append(all, name+"="+content)
		}
	}
	return strings.Join(all, " ")
}

// install1 runs one install in a process of its own, and kills it some time
// after it has begun. It tells whether the run was over by then.
func install1(t *testing.T, dir, words string, life time.Duration) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), runVariable+"="+dir+"\n"+strings.Join(strings.Fields(words), "\n"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	killer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	killer.Stop()
	if err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("installing %q: %v: %s", words, err, stderr.String())
	}
	return err == nil
}

// Whoever opens a name always gets a whole file, of the old set or the new one.
func TestReadersMeetNoGap(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a=0", "b=0")
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		readers.Go(func() {
			for ctx.Err() == nil {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil || len(data) != 1 {
					t.Errorf("%q has %q, %v", name, data, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		p := plan(dir, fmt.Sprintf("a=%d", i%7), fmt.Sprintf("b=%d", i%5))
		p.Linger = 20 * time.Millisecond
		did(t, p)
	}
	cancel()
	readers.Wait()
}

// Who was on the way into the old set when the switch came still finds it.
func TestOldSetLingers(t *testing.T) {
	dir := t.TempDir()
	did(t, plan(dir, "a=1"))
	old, err := filepath.EvalSymlinks(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		p := plan(dir, "a=2")
		p.Linger = time.Second
		_, err := Install(t.Context(), p)
		done <- err
	}()
	for shows(t, dir) != "a=2" {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	if data, err := os.ReadFile(old); string(data) != "1" {
		t.Errorf("the old program is %q, %v", data, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	clean(t, dir)
}

// Runs at once take turns, and each leaves its set whole.
func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	var waited sync.Map
	var runs sync.WaitGroup
	for i := range 8 {
		runs.Go(func() {
			p := plan(dir, fmt.Sprintf("a=%d", i), fmt.Sprintf("b=%d", i), "l->a")
			p.Linger = 5 * time.Millisecond
			p.Waiting = func() { waited.Store(i, true) }
			if _, err := Install(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	got := shows(t, dir)
	if n := got[2:3]; got != fmt.Sprintf("a=%s b=%s l=%s", n, n, n) {
		t.Errorf("shows %q", got)
	}
	n := 0
	waited.Range(func(any, any) bool { n++; return true })
	if n == 0 {
		t.Error("nobody waited")
	}
	clean(t, dir)
}

func TestWaitingEnds(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	lock, err := acquire(t.Context(), root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	ctx, cancel := context.WithCancel(t.Context())
	p := plan(dir, "a=1")
	p.Waiting = cancel
	if _, err := Install(ctx, p); err == nil || !strings.Contains(err.Error(), "waiting for the lock") {
		t.Errorf("got %v", err)
	}
	if got := shows(t, dir); got != "" {
		t.Errorf("shows %q", got)
	}
}
