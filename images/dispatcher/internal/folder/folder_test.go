package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// text is the content of a program whose sum is known beforehand.
type text string

func (c text) String() string { return "a test" }

func (c text) Sum(context.Context) (*checksum.Sum, error) {
	sum := sumOf(string(c))
	return &sum, nil
}

func (c text) Write(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, string(c))
	return err
}

// late is one whose sum shows when it is there.
type late struct{ text }

func (late) Sum(context.Context) (*checksum.Sum, error) { return nil, nil }

// changed has other bytes than its sum says.
type changed struct{ text }

func (c changed) Write(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "<html>")
	return err
}

// broken ends in an error.
type broken struct{ text }

var errBroken = errors.New("no more bytes")

func (c broken) Write(_ context.Context, w io.Writer) error {
	_, _ = io.WriteString(w, "half of it")
	return errBroken
}

func sumOf(s string) checksum.Sum { return sha256.Sum256([]byte(s)) }

// plan makes a plan of words: NAME=TEXT is a program, NAME is one to be kept,
// NAME->TARGET a link.
func plan(dir string, words ...string) Plan {
	p := Plan{Dir: dir, Mode: 0o755}
	for _, word := range words {
		if name, target, ok := strings.Cut(word, "->"); ok {
			p.Links = append(p.Links, Link{name, target})
		} else if name, content, ok := strings.Cut(word, "="); ok {
			p.Programs = append(p.Programs, Program{Name: name, Content: text(content)})
		} else {
			p.Programs = append(p.Programs, Program{Name: word})
		}
	}
	return p
}

// did installs and returns what was done: "installed a, linked b".
func did(t *testing.T, p Plan) string {
	t.Helper()
	results, err := Install(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range results {
		words = append(words, string(r.Action)+" "+r.Name)
	}
	return strings.Join(words, ", ")
}

// shows is what a folder shows to who opens its files: "a=1 b=2".
func shows(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, entry.Name()+"="+string(data))
	}
	return strings.Join(words, " ")
}

// listing is all that lies below a folder, with inodes and times: equal before
// and after means that nothing was touched.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		target, _ := os.Readlink(path)
		fmt.Fprintln(&b, path, info.Mode(), info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano(), target)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// put makes files and links like those of plan, by themselves.
func put(t *testing.T, dir string, words ...string) {
	t.Helper()
	for _, word := range words {
		var err error
		if name, target, ok := strings.Cut(word, "->"); ok {
			err = os.Symlink(target, filepath.Join(dir, name))
		} else {
			name, content, _ := strings.Cut(word, "=")
			path := filepath.Join(dir, name)
			if err = os.WriteFile(path, []byte(content), 0o600); err == nil {
				err = os.Chmod(path, 0o755)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// clean fails if anything but the current set lies in the folder's own place.
func clean(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, home))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{"current", "sets"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%s has %q, %v; want %q", home, names, err, want)
	}
	if entries, err = os.ReadDir(filepath.Join(dir, sets)); err != nil || len(entries) != 1 {
		t.Errorf("%d sets, %v; want one", len(entries), err)
	}
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		if target, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil && strings.HasPrefix(target, home) {
			if _, err := os.Stat(filepath.Join(dir, entry.Name())); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestInstall(t *testing.T) {
	for _, c := range []struct {
		name  string
		had   string   // by itself
		runs  []string // one after another
		did   string   // of the last one
		shows string
	}{
		{"empty folder", "", []string{"a=1 b=2"}, "installed a, installed b", "a=1 b=2"},
		{"again", "", []string{"a=1 b=2 c->a", "a=1 b=2 c->a"}, "unchanged a, unchanged b, unchanged c", "a=1 b=2 c=1"},
		{"one differs", "", []string{"a=1 b=2", "a=1 b=3"}, "unchanged a, installed b", "a=1 b=3"},
		{"link", "", []string{"a=1 b->a"}, "installed a, linked b", "a=1 b=1"},
		{"link follows", "", []string{"a=1 b->a", "a=2 b->a"}, "installed a, unchanged b", "a=2 b=2"},
		{"link elsewhere", "", []string{"a=1 b=2 c->a", "a=1 b=2 c->b"}, "unchanged a, unchanged b, linked c", "a=1 b=2 c=2"},
		{"file becomes link", "", []string{"a=1 b=2", "a=1 b->a"}, "unchanged a, linked b", "a=1 b=1"},
		{"link becomes file", "", []string{"a=1 b->a", "a=1 b=2"}, "unchanged a, installed b", "a=1 b=2"},
		{"earlier programs stay", "", []string{"a=1 b=2 c->b", "d=4"}, "installed d", "a=1 b=2 c=2 d=4"},
		{"earlier link follows", "", []string{"a=1 b->a", "a=2"}, "installed a", "a=2 b=2"},
		{"others stay", "x=9 y->x", []string{"a=1"}, "installed a", "a=1 x=9 y=9"},
		{"file is replaced", "a=0 b=0", []string{"a=1"}, "installed a", "a=1 b=0"},
		{"link is replaced", "x=9 a->x", []string{"a=1"}, "installed a", "a=1 x=9"},
		{"dangling link is replaced", "a->nowhere", []string{"a=1"}, "installed a", "a=1"},
		{"file by link", "a=0 b=0", []string{"a=1 b->a"}, "installed a, linked b", "a=1 b=1"},
		{"same file stays", "a=1", []string{"a=1"}, "unchanged a", "a=1"},
		{"same file stays beside another", "a=1", []string{"a=1 b=2"}, "unchanged a, installed b", "a=1 b=2"},
		{"link to a file that stays", "a=1", []string{"a=1 b->a", "a=1 b->a"}, "unchanged a, unchanged b", "a=1 b=1"},
		{"kept", "a=7", []string{"a b=2"}, "kept a, installed b", "a=7 b=2"},
		{"kept of earlier", "", []string{"a=7 b=1", "a b=2"}, "kept a, installed b", "a=7 b=2"},
		{"link to kept", "a=7", []string{"a b->a"}, "kept a, linked b", "a=7 b=7"},
		{"kept through a link", "x=7 a->x", []string{"a b=2"}, "kept a, installed b", "a=7 b=2 x=7"},
		{"kept alone", "a=7", []string{"a"}, "kept a", "a=7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, strings.Fields(c.had)...)
			got := ""
			for _, run := range c.runs {
				got = did(t, plan(dir, strings.Fields(run)...))
			}
			if got != c.did {
				t.Errorf("did %q; want %q", got, c.did)
			}
			if got := shows(t, dir); got != c.shows {
				t.Errorf("shows %q; want %q", got, c.shows)
			}
			clean(t, dir)
			last := plan(dir, strings.Fields(c.runs[len(c.runs)-1])...)
			before := listing(t, dir)
			if again := did(t, last); strings.Contains(again, "installed") || strings.Contains(again, "linked") {
				t.Errorf("a second run %s", again)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("a second run changed\n%sto\n%s", before, after)
			}
		})
	}
}

func TestInstallFresh(t *testing.T) {
	dir := t.TempDir()
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	p := plan(dir, "a=1")
	p.Mode = 0o751
	did(t, p)
	for path, want := range map[string]fs.FileMode{
		"a": 0o751, home: fs.ModeDir | 0o755, sets: fs.ModeDir | 0o755, current: fs.ModeDir | 0o755,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	// The mode alone is a difference, too.
	p.Mode = 0o755
	if got := did(t, p); got != "installed a" {
		t.Errorf("did %q; want a new file", got)
	}
}

// A program whose sum shows late is fetched again, and then it shows that there
// is nothing to do.
func TestInstallLate(t *testing.T) {
	for _, had := range []string{"", "a=1"} {
		dir := t.TempDir()
		put(t, dir, strings.Fields(had)...)
		p := plan(dir, "b=2")
		p.Programs = append(p.Programs, Program{Name: "a", Content: late{"1"}})
		did(t, p)
		before, links := shows(t, dir), listing(t, filepath.Join(dir, current)+"/")
		if got := did(t, p); got != "unchanged b, unchanged a" {
			t.Errorf("did %q", got)
		}
		if after := shows(t, dir); before != "a=1 b=2" || after != before {
			t.Errorf("shows %q, then %q", before, after)
		}
		if after := listing(t, filepath.Join(dir, current)+"/"); after != links {
			t.Errorf("got\n%swant\n%s", after, links)
		}
		// And where there is something else to do, it comes along.
		p.Programs[0].Content = text("3")
		if got := did(t, p); got != "installed b, unchanged a" {
			t.Errorf("did %q", got)
		}
		if got := shows(t, dir); got != "a=1 b=3" {
			t.Errorf("shows %q", got)
		}
		want := "b=3"
		if had == "" {
			want = "a=1 b=3"
		}
		if got := shows(t, filepath.Join(dir, current)+"/"); got != want {
			t.Errorf("the set has %q, want %q", got, want)
		}
		clean(t, dir)
	}
}

// A link of an earlier run keeps what it leads to, although the folder has a
// file of its own in that place by now.
func TestInstallBesideReplacedTarget(t *testing.T) {
	dir := t.TempDir()
	did(t, plan(dir, "a=1", "b->a"))
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "a=9")
	if got := did(t, plan(dir, "a=9", "c=3")); got != "unchanged a, installed c" {
		t.Errorf("did %q", got)
	}
	if got := shows(t, dir); got != "a=9 b=1 c=3" {
		t.Errorf("shows %q", got)
	}
	clean(t, dir)
}

// What an operator removes stays away.
func TestInstallAfterRemoval(t *testing.T) {
	dir := t.TempDir()
	did(t, plan(dir, "a=1", "b=2", "c->a"))
	for _, name := range []string{"a", "b"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	did(t, plan(dir, "e=5"))
	// The link's program is still what it leads to.
	if got := shows(t, dir); got != "c=1 e=5" {
		t.Errorf("shows %q", got)
	}
	did(t, plan(dir, "b=3"))
	if got := shows(t, dir); got != "b=3 c=1 e=5" {
		t.Errorf("shows %q", got)
	}
	clean(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, home)); err != nil {
		t.Fatal(err)
	}
	did(t, plan(dir, "b=4"))
	if got := shows(t, dir); got != "b=4" {
		t.Errorf("shows %q", got)
	}
	clean(t, dir)
}

// What is kept has its bytes afterwards, also where it was a link to a program
// that is replaced.
func TestKeptLinkKeepsItsBytes(t *testing.T) {
	dir := t.TempDir()
	did(t, plan(dir, "a=1", "b->a"))
	if got := did(t, plan(dir, "c=1", "a", "b")); got != "installed c, kept a, kept b" {
		t.Errorf("did %s", got)
	}
	did(t, plan(dir, "a=2", "b"))
	if got := shows(t, dir); got != "a=2 b=1 c=1" {
		t.Errorf("shows %q", got)
	}
	clean(t, dir)
}

// Whatever goes wrong, the folder is as it was.
func TestInstallFails(t *testing.T) {
	sum := sumOf("other")
	for _, c := range []struct {
		name, had string
		program   Program
		want      string
	}{
		{"broken", "", Program{Name: "z", Content: broken{"1"}}, errBroken.Error()},
		{"changed", "", Program{Name: "z", Content: changed{"1"}}, `checking "z" from a test: want sha256 ` + sumOf("1").String() + ", got " + sumOf("<html>").String() + " (6 bytes); it is an HTML page"},
		{"kept is missing", "", Program{Name: "z"}, `keeping "z": it is not in `},
		{"kept is another", "z=1", Program{Name: "z", Sum: &sum}, "want sha256 " + sum.String()},
		{"kept leads out", "z->/etc/passwd", Program{Name: "z"}, `it is a link to "/etc/passwd", which only the host can follow`},
		{"kept leads to what is replaced", "z->a", Program{Name: "z"}, `it is a link to "a", which is to be replaced`},
		{"kept is a folder", "z/", Program{Name: "z"}, "want a file, a link or nothing"},
		{"folder", "z/", Program{Name: "z", Content: text("1")}, "want a file, a link or nothing"},
	} {
		for _, earlier := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", c.name, earlier), func(t *testing.T) {
				dir := t.TempDir()
				if earlier {
					did(t, plan(dir, "a=0", "b=0"))
				} else {
					put(t, dir, "a=0")
				}
				if name, ok := strings.CutSuffix(c.had, "/"); ok {
					if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
						t.Fatal(err)
					}
				} else {
					put(t, dir, strings.Fields(c.had)...)
				}
				names := func() string {
					return strings.Join(slices.DeleteFunc(strings.SplitAfter(listing(t, dir), "\n"), func(line string) bool {
						return strings.HasPrefix(line, dir+" ") || strings.HasPrefix(line, filepath.Join(dir, sets)+" ")
					}), "")
				}
				before := names()
				p := plan(dir, "a=1")
				p.Programs = append(p.Programs, c.program)
				_, err := Install(t.Context(), p)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v; want an error with %q", err, c.want)
				}
				var keep *KeepError
				if errors.As(err, &keep) != (c.program.Content == nil && c.had != "z/") {
					t.Errorf("%v is a KeepError: %v", err, keep != nil)
				}
				if after := names(); after != before {
					t.Errorf("got\n%swant\n%s", after, before)
				}
			})
		}
	}
}

func TestInstallRefusesForeignHome(t *testing.T) {
	for _, words := range [][]string{{home + "=x"}, {home + "->."}, {home + "->/tmp"}} {
		dir := t.TempDir()
		put(t, dir, words...)
		if _, err := Install(t.Context(), plan(dir, "a=1")); err == nil || !strings.Contains(err.Error(), "never makes") {
			t.Errorf("of %q: %v", words, err)
		}
	}
	for _, target := range []string{"sets", "/etc", "sets/../..", "sets/01", "sets/-1", "sets/1/.."} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, sets), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, dir, current+"->"+target)
		if _, err := Install(t.Context(), plan(dir, "a=1")); err == nil || !strings.Contains(err.Error(), "want a link to sets/NUMBER") {
			t.Errorf("of %q: %v", target, err)
		}
	}
}

func TestInstallWantsTheFolder(t *testing.T) {
	_, err := Install(t.Context(), plan(filepath.Join(t.TempDir(), "missing"), "a=1"))
	if err == nil || !strings.Contains(err.Error(), "make it, or mount it") {
		t.Errorf("got %v", err)
	}
}

func TestPlanCheck(t *testing.T) {
	p := plan("", "a=1", "../b=1", "a=2", ".c=1", "-d=1", "=1", "e->a", "e->x", strings.Repeat("x", 129)+"=1", "é=1", "ok_1.2+3-4=1")
	p.Mode = 0o4755
	err := p.Check()
	want := []string{`name "a": it is there twice`, `"../b"`, `".c"`, `"-d"`, `""`, `name "e": it is there twice`, `"x" is none of the programs`, `"xxx`, `"é"`, "mode 04755"}
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nwant %s in it", err, part)
		}
	}
	if n := strings.Count(fmt.Sprint(err), "\n") + 1; n != len(want) {
		t.Errorf("%d faults, want %d: %v", n, len(want), err)
	}
}
