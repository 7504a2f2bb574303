package toolset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// planVariable makes the test binary install a plan in a process that can be
// killed: a directory and the words of the plan, or "rollback", separated by newlines.
const planVariable = "HYPERKUBE_TEST_INSTALL"

func TestMain(m *testing.M) {
	if v := os.Getenv(planVariable); v != "" {
		words := strings.Split(v, "\n")
		fmt.Println("started")
		var err error
		if len(words) == 2 && words[1] == "rollback" {
			_, err = Rollback(context.Background(), Options{Dir: words[0]})
		} else {
			_, err = Install(context.Background(), enlarge(plan(words[0], words[1:]...)))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// enlarge makes programs large enough to be killed while they are written.
func enlarge(p Plan) Plan {
	for i, program := range p.Programs {
		if c, ok := program.Content.(text); ok {
			p.Programs[i].Content = text(strings.Repeat(string(c), 1<<18))
		}
	}
	return p
}

// shortContents is contents with large files shortened, after checking that they
// are complete.
func shortContents(t *testing.T, dir string) string {
	t.Helper()
	words := strings.Fields(contents(t, dir))
	for i, word := range words {
		name, content, _ := strings.Cut(word, "=")
		if len(content) == 1<<18 && content == strings.Repeat(content[:1], 1<<18) {
			content = content[:1]
		} else if len(content) > 10 {
			t.Fatalf("%q has %d bytes and is incomplete", name, len(content))
		}
		words[i] = name + "=" + content
	}
	return strings.Join(words, " ")
}

// When a run is killed at any time, the directory has the old set or the new one,
// and the next run succeeds.
func TestKilledAtAnyMoment(t *testing.T) {
	limit := 10 * time.Second
	if testing.Short() {
		limit = 2 * time.Second
	}
	// Files before the first run, and plans.
	initial := []string{"", "a=x b=y mine=m", "mine=m a->mine b=y link->b", "d=w link->nowhere"}
	plans := []string{"a=1 b=1 link->a", "a=2 b=2 link->b", "b=3 c=3", "c=1 link->c", "d=4 a=4 b link->b"}
	dir := ""
	var old, fresh int
	for start := time.Now(); time.Since(start) < limit; {
		if dir == "" || rand.IntN(6) == 0 {
			dir = t.TempDir()
			create(t, dir, strings.Fields(initial[rand.IntN(len(initial))])...)
		}
		words := plans[rand.IntN(len(plans))]
		before := shortContents(t, dir)
		want := expected(before, words, symlinkTargets(dir))
		if !strings.Contains(" "+before, " b=") && strings.Contains(words, " b ") {
			continue // the program to keep is missing
		}
		completed := runInstall(t, dir, words, time.Duration(rand.Int64N(int64(40*time.Millisecond))))
		switch got := shortContents(t, dir); {
		case got == want && before != want:
			fresh++
		case got == before && !completed:
			old++
		case got != want:
			t.Errorf("killed between\n%s\nand\n%s\ngot\n%s", before, want, got)
		}
	}
	t.Logf("%d runs killed before the switch, %d after it", old, fresh)
	if old == 0 || fresh == 0 {
		t.Errorf("got the old set %d times and the new one %d times, want both", old, fresh)
	}
	runInstall(t, dir, "a=5", time.Minute)
	checkClean(t, dir)
}

// When an installation or a rollback is killed at any time, a rollback leads to the
// set before the current one.
func TestRollbackAfterKill(t *testing.T) {
	limit := 5 * time.Second
	if testing.Short() {
		limit = 2 * time.Second
	}
	dir := t.TempDir()
	set := func(n int) string { return fmt.Sprintf("a=%d b=%d link=%[1]d", n, (n+1)%10) }
	words := func(n int) string { return fmt.Sprintf("a=%d b=%d link->a", n, (n+1)%10) }
	runInstall(t, dir, words(1), time.Minute)
	runInstall(t, dir, words(2), time.Minute)
	now, previous := set(2), set(1)
	counts := map[string]int{}
	for start := time.Now(); time.Since(start) < limit || len(counts) < 4 && time.Since(start) < 10*limit; {
		run, next := "rollback", previous
		if n := rand.IntN(10); rand.IntN(2) == 0 && set(n) != now {
			run, next = words(n), set(n)
			if rand.IntN(2) == 0 {
				replaceByCopy(t, filepath.Join(dir, "b"))
			}
		}
		completed := runInstall(t, dir, run, time.Duration(rand.Int64N(int64(30*time.Millisecond))))
		restoreSymlink(t, dir, "b")
		switch got := shortContents(t, dir); {
		case got == next:
			now, previous = next, now
			counts["switched "+run[:1]]++
		case got == now && !completed:
			counts["killed "+run[:1]]++
		default:
			t.Fatalf("%q killed between %s and %s: got %s", run, now, next, got)
		}
		if rand.IntN(3) == 0 {
			runInstall(t, dir, "rollback", time.Minute)
			if got := shortContents(t, dir); got != previous {
				t.Fatalf("rollback after %q: got %s, want %s", run, got, previous)
			}
			now, previous = previous, now
			checkClean(t, dir)
			checkVerified(t, dir)
		}
	}
	t.Log(counts)
	if len(counts) != 4 {
		t.Errorf("got %v, want both commands killed before and after the switch", counts)
	}
}

// replaceByCopy replaces a symlink by a regular file with the same content.
func replaceByCopy(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = errors.Join(os.Remove(path), os.WriteFile(path, data, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// restoreSymlink undoes replaceByCopy, unless an installation has.
func restoreSymlink(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if _, err := os.Readlink(path); err == nil {
		return
	}
	if err := errors.Join(os.Remove(path), os.Symlink(currentPath(name), path)); err != nil {
		t.Fatal(err)
	}
}

// symlinkTargets returns the names in a directory that are symlinks to other names,
// with their targets.
func symlinkTargets(dir string) map[string]string {
	targets := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "link"} {
		target, _ := os.Readlink(filepath.Join(dir, name))
		if target == currentPath(name) {
			target, _ = os.Readlink(filepath.Join(dir, target))
		}
		if target != "" {
			targets[name] = filepath.Base(target)
		}
	}
	return targets
}

// expected returns the contents of a directory after a plan. Symlinks to a program
// change with it.
func expected(before, words string, links map[string]string) string {
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

// runInstall installs in a child process, which it kills after a time. It reports
// whether the run had completed.
func runInstall(t *testing.T, dir, words string, timeout time.Duration) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), planVariable+"="+dir+"\n"+strings.Join(strings.Fields(words), "\n"))
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
	killer := time.AfterFunc(timeout, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	killer.Stop()
	if err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("installing %q: %v: %s", words, err, stderr.String())
	}
	return err == nil
}

// Readers always get a complete file, of the old set or the new one.
func TestConcurrentReaders(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, "a=0", "b=0")
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
		mustInstall(t, p)
	}
	cancel()
	readers.Wait()
}

// Readers that have resolved a part of the path before the switch still find the
// old set.
func TestPreviousSetStays(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1"))
	old, err := filepath.EvalSymlinks(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	mustInstall(t, plan(dir, "a=2"))
	if data, err := os.ReadFile(old); string(data) != "1" {
		t.Errorf("old program is %q, %v", data, err)
	}
	mustInstall(t, plan(dir, "a=3"))
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after another run: %v; want %v", err, fs.ErrNotExist)
	}
	checkClean(t, dir)
}

// Sets that are read or rolled back while others are installed are complete.
func TestConcurrentCommands(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1", "b=1"))
	mustInstall(t, plan(dir, "a=2", "b=2"))
	o := Options{Dir: dir, LockTimeout: time.Minute}
	var runs sync.WaitGroup
	for i := range 4 {
		runs.Go(func() {
			p := plan(dir, fmt.Sprintf("a=%d", i), fmt.Sprintf("b=%d", i))
			p.Options = o
			if _, err := Install(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
		runs.Go(func() {
			if _, err := Rollback(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
		runs.Go(func() {
			sets, err := Inspect(t.Context(), o, true)
			if err != nil || len(sets) != 2 {
				t.Errorf("got %v, %v", sets, err)
				return
			}
			for _, set := range sets {
				if a, b := set.Members[0], set.Members[1]; errors.Join(a.Verify(), b.Verify()) != nil || a.Got != b.Got {
					t.Errorf("got %+v, %+v", a, b)
				}
			}
		})
	}
	runs.Wait()
	checkClean(t, dir)
	checkVerified(t, dir)
}

// Concurrent runs wait for each other, and each leaves a complete set.
func TestConcurrentRuns(t *testing.T) {
	dir := t.TempDir()
	var waited sync.Map
	var runs sync.WaitGroup
	for i := range 8 {
		runs.Go(func() {
			p := plan(dir, fmt.Sprintf("a=%d", i), fmt.Sprintf("b=%d", i), "l->a")
			p.OnWait = func(string) { waited.Store(i, true) }
			if _, err := Install(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	got := contents(t, dir)
	if n := got[2:3]; got != fmt.Sprintf("a=%s b=%s l=%s", n, n, n) {
		t.Errorf("contents %q", got)
	}
	n := 0
	waited.Range(func(any, any) bool { n++; return true })
	if n == 0 {
		t.Error("no run has waited")
	}
	checkClean(t, dir)
}

func TestWaitCanceled(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	lock, err := acquireLock(t.Context(), root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	ctx, cancel := context.WithCancel(t.Context())
	p := plan(dir, "a=1")
	p.OnWait = func(string) { cancel() }
	if _, err := Install(ctx, p); err == nil || !strings.Contains(err.Error(), "which holds the lock") {
		t.Errorf("got %v", err)
	}
	if got := contents(t, dir); got != "" {
		t.Errorf("contents %q", got)
	}
}
