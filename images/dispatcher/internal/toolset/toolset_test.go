package toolset

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
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/checksum"
)

// text is the content of a program whose sum is known.
type text string

func (c text) String() string { return "a test" }

func (c text) Source() string { return "source of " + string(c[:1]) }

func (c text) Sum(context.Context, int64) (*checksum.Sum, error) {
	sum := sumOf(string(c))
	return &sum, nil
}

func (c text) Write(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, string(c))
	return err
}

// unknownSum is a content whose sum is unknown before it is written.
type unknownSum struct{ text }

func (unknownSum) Sum(context.Context, int64) (*checksum.Sum, error) { return nil, nil }

// mismatched is a content that does not have its sum.
type mismatched struct{ text }

func (c mismatched) Write(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "<html>")
	return err
}

// failing is a content that fails while it is written.
type failing struct{ text }

var errFailing = errors.New("write error")

func (c failing) Write(_ context.Context, w io.Writer) error {
	_, _ = io.WriteString(w, "a part of it")
	return errFailing
}

func sumOf(s string) checksum.Sum { return sha256.Sum256([]byte(s)) }

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fetch does jobs one after another. Each has another output that is discarded.
func fetch(ctx context.Context, jobs []Job) error {
	for _, job := range jobs {
		other, err := job.Create()
		if err == nil {
			_, err = io.WriteString(other, "another")
		}
		if err != nil {
			return err
		}
		o, err := job.Create()
		if err == nil {
			err = job.Content.(interface {
				Write(ctx context.Context, w io.Writer) error
			}).Write(ctx, o)
		}
		if err != nil {
			return errors.Join(err, o.Discard(), other.Discard())
		}
		if err := errors.Join(other.Discard(), o.Commit()); err != nil {
			return err
		}
	}
	return nil
}

// plan returns a plan of words: NAME=TEXT is a program, NAME a program to keep,
// NAME->TARGET a link.
func plan(dir string, words ...string) Plan {
	p := Plan{Options: Options{Dir: dir}, Mode: 0o755, Now: testTime, Fetch: fetch}
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

// mustInstall installs and returns the results: "installed a, linked b".
func mustInstall(t *testing.T, p Plan) string {
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

// contents returns the names and contents of files in a directory: "a=1 b=2".
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path)
		if isMetadata(entry.Name()) {
			continue
		}
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

// listing returns all files below a directory with inodes and times, to check
// that nothing was changed.
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

// create creates files, NAME=TEXT, and symlinks, NAME->TARGET.
func create(t *testing.T, dir string, words ...string) {
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

// checkClean fails if .hyperkube has more than the lock, the current set and the
// previous one, or if a symlink into it is dangling.
func checkClean(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, metaDir))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if err == nil && slices.Equal(names, []string{"lock"}) {
		return // nothing was installed
	}
	if want := []string{"current", "lock", "sets"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%s has %q, %v; want %q", metaDir, names, err, want)
	}
	want := 1
	if _, err := os.Stat(filepath.Join(dir, current, previousFile)); err == nil {
		want = 2
	}
	if entries, err = os.ReadDir(filepath.Join(dir, setsDir)); err != nil || len(entries) != want {
		t.Errorf("%d sets, %v; want %d", len(entries), err, want)
	}
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		// A member may be a user's dangling symlink.
		if target, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil && strings.HasPrefix(target, metaDir) {
			if _, err := os.Lstat(filepath.Join(dir, target)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestInstall(t *testing.T) {
	for _, c := range []struct {
		name  string
		files string   // before the first run
		runs  []string // plans
		did   string   // by the last run
		want  string
	}{
		{"empty directory", "", []string{"a=1 b=2"}, "installed a, installed b", "a=1 b=2"},
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
		{"same file stays, another is added", "a=1", []string{"a=1 b=2"}, "unchanged a, installed b", "a=1 b=2"},
		{"link to a file that stays", "a=1", []string{"a=1 b->a", "a=1 b->a"}, "unchanged a, unchanged b", "a=1 b=1"},
		{"kept", "a=7", []string{"a b=2"}, "kept a, installed b", "a=7 b=2"},
		{"kept of earlier", "", []string{"a=7 b=1", "a b=2"}, "kept a, installed b", "a=7 b=2"},
		{"link to kept", "a=7", []string{"a b->a"}, "kept a, linked b", "a=7 b=7"},
		{"kept through a link", "x=7 a->x", []string{"a b=2"}, "kept a, installed b", "a=7 b=2 x=7"},
		{"kept alone", "a=7", []string{"a"}, "kept a", "a=7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			create(t, dir, strings.Fields(c.files)...)
			got := ""
			for _, run := range c.runs {
				got = mustInstall(t, plan(dir, strings.Fields(run)...))
			}
			if got != c.did {
				t.Errorf("results %q; want %q", got, c.did)
			}
			if got := contents(t, dir); got != c.want {
				t.Errorf("contents %q; want %q", got, c.want)
			}
			checkClean(t, dir)
			last := plan(dir, strings.Fields(c.runs[len(c.runs)-1])...)
			before := listing(t, dir)
			if again := mustInstall(t, last); strings.Contains(again, "installed") || strings.Contains(again, "linked") {
				t.Errorf("results of a second run: %s", again)
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
	mustInstall(t, p)
	for path, want := range map[string]fs.FileMode{
		"a": 0o751, metaDir: fs.ModeDir | 0o755, setsDir: fs.ModeDir | 0o755, current: fs.ModeDir | 0o755,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	// Another mode must be installed, too.
	p.Mode = 0o755
	if got := mustInstall(t, p); got != "installed a" {
		t.Errorf("results %q; want a new file", got)
	}
}

// A program with an unknown sum is written again, and then compared with the
// installed one.
func TestInstallUnknownSum(t *testing.T) {
	for _, files := range []string{"", "a=1"} {
		dir := t.TempDir()
		create(t, dir, strings.Fields(files)...)
		p := plan(dir, "b=2")
		p.Programs = append(p.Programs, Program{Name: "a", Content: unknownSum{"1"}})
		mustInstall(t, p)
		before, links := contents(t, dir), listing(t, filepath.Join(dir, current)+"/")
		if got := mustInstall(t, p); got != "unchanged b, unchanged a" {
			t.Errorf("results %q", got)
		}
		if after := contents(t, dir); before != "a=1 b=2" || after != before {
			t.Errorf("contents %q, then %q", before, after)
		}
		if after := listing(t, filepath.Join(dir, current)+"/"); after != links {
			t.Errorf("got\n%swant\n%s", after, links)
		}
		// The next set has it if another program changes.
		p.Programs[0].Content = text("3")
		if got := mustInstall(t, p); got != "installed b, unchanged a" {
			t.Errorf("results %q", got)
		}
		if got := contents(t, dir); got != "a=1 b=3" {
			t.Errorf("contents %q", got)
		}
		want := "b=3"
		if files == "" {
			want = "a=1 b=3"
		}
		if got := contents(t, filepath.Join(dir, current)+"/"); got != want {
			t.Errorf("the set has %q, want %q", got, want)
		}
		checkClean(t, dir)
	}
}

// A symlink of an earlier run still leads to its program after a user replaced the
// target in the directory.
func TestInstallAfterReplacement(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1", "b->a"))
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	create(t, dir, "a=9")
	if got := mustInstall(t, plan(dir, "a=9", "c=3")); got != "unchanged a, installed c" {
		t.Errorf("results %q", got)
	}
	if got := contents(t, dir); got != "a=9 b=1 c=3" {
		t.Errorf("contents %q", got)
	}
	checkClean(t, dir)
}

// Programs that a user removed must not come back.
func TestInstallAfterRemoval(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1", "b=2", "c->a"))
	for _, name := range []string{"a", "b"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	mustInstall(t, plan(dir, "e=5"))
	// The symlink still leads to its program.
	if got := contents(t, dir); got != "c=1 e=5" {
		t.Errorf("contents %q", got)
	}
	mustInstall(t, plan(dir, "b=3"))
	if got := contents(t, dir); got != "b=3 c=1 e=5" {
		t.Errorf("contents %q", got)
	}
	checkClean(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, metaDir)); err != nil {
		t.Fatal(err)
	}
	mustInstall(t, plan(dir, "b=4"))
	if got := contents(t, dir); got != "b=4" {
		t.Errorf("contents %q", got)
	}
	checkClean(t, dir)
}

// A program to keep does not change, even if it was a symlink to a program that is
// replaced.
func TestKeepSymlink(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, plan(dir, "a=1", "b->a"))
	if got := mustInstall(t, plan(dir, "c=1", "a", "b")); got != "installed c, kept a, kept b" {
		t.Errorf("results %s", got)
	}
	mustInstall(t, plan(dir, "a=2", "b"))
	if got := contents(t, dir); got != "a=2 b=1 c=1" {
		t.Errorf("contents %q", got)
	}
	checkClean(t, dir)
}

// On error the directory must not change.
func TestInstallError(t *testing.T) {
	sum := sumOf("other")
	for _, c := range []struct {
		name, files string
		program     Program
		want        string
	}{
		{"write error", "", Program{Name: "z", Content: failing{"1"}}, errFailing.Error()},
		{"mismatch", "", Program{Name: "z", Content: mismatched{"1"}}, `verifying "z" from a test: want sha256 ` + sumOf("1").String() + ", got " + sumOf("<html>").String() + " (6 bytes); the file is an HTML page"},
		{"kept is missing", "", Program{Name: "z"}, `keeping "z": not found in `},
		{"kept is another", "z=1", Program{Name: "z", Sum: &sum}, "want sha256 " + sum.String()},
		{"kept leads out", "z->/etc/passwd", Program{Name: "z"}, `symlink to "/etc/passwd" cannot be followed in this container; make it relative, or omit "z"`},
		{"kept leads to what is replaced", "z->a", Program{Name: "z"}, `symlink to "a", which would be replaced; keep "a" as well, or omit "z"`},
		{"kept is a directory", "z/", Program{Name: "z"}, "not a regular file or a symlink"},
		{"directory", "z/", Program{Name: "z", Content: text("1")}, "not a regular file or a symlink"},
	} {
		for _, earlier := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", c.name, earlier), func(t *testing.T) {
				dir := t.TempDir()
				if earlier {
					mustInstall(t, plan(dir, "a=0", "b=0"))
				} else {
					create(t, dir, "a=0")
				}
				if name, ok := strings.CutSuffix(c.files, "/"); ok {
					if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
						t.Fatal(err)
					}
				} else {
					create(t, dir, strings.Fields(c.files)...)
				}
				names := func() string {
					return strings.Join(slices.DeleteFunc(strings.SplitAfter(listing(t, dir), "\n"), func(line string) bool {
						return strings.HasPrefix(line, dir+" ") || strings.HasPrefix(line, filepath.Join(dir, setsDir)+" ")
					}), "")
				}
				before := names()
				p := plan(dir, "a=1")
				p.Programs = append(p.Programs, c.program)
				_, err := Install(t.Context(), p)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v; want an error with %q", err, c.want)
				}
				var keep *DriftError
				if errors.As(err, &keep) != (c.program.Content == nil && c.files != "z/") {
					t.Errorf("errors.As(%v, *DriftError) = %v", err, keep != nil)
				}
				if after := names(); after != before {
					t.Errorf("got\n%swant\n%s", after, before)
				}
			})
		}
	}
}

func TestInstallUnexpectedFiles(t *testing.T) {
	for _, words := range [][]string{{metaDir + "=x"}, {metaDir + "->."}, {metaDir + "->/tmp"}} {
		dir := t.TempDir()
		create(t, dir, words...)
		if _, err := Install(t.Context(), plan(dir, "a=1")); err == nil || !strings.Contains(err.Error(), "not created by hyperkube") {
			t.Errorf("of %q: %v", words, err)
		}
	}
	for _, target := range []string{"sets", "/etc", "sets/../..", "sets/01", "sets/-1", "sets/1/.."} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, setsDir), 0o755); err != nil {
			t.Fatal(err)
		}
		create(t, dir, current+"->"+target)
		if _, err := Install(t.Context(), plan(dir, "a=1")); err == nil || !strings.Contains(err.Error(), "want a symlink to sets/NUMBER") {
			t.Errorf("of %q: %v", target, err)
		}
	}
}

func TestInstallMissingDirectory(t *testing.T) {
	_, err := Install(t.Context(), plan(filepath.Join(t.TempDir(), "missing"), "a=1"))
	if err == nil || !strings.Contains(err.Error(), "create or mount it first") {
		t.Errorf("got %v", err)
	}
}

func TestPlanCheck(t *testing.T) {
	p := plan("", "a=1", "../b=1", "a=2", ".c=1", "-d=1", "=1", "e->a", "e->x", strings.Repeat("x", 129)+"=1", "é=1", "ok_1.2+3-4=1")
	p.Mode = 0o4755
	err := p.Check()
	want := []string{`duplicate name "a"`, `"../b"`, `".c"`, `"-d"`, `""`, `duplicate name "e"`, `link e=x: target is not one of the programs`, `"xxx`, `"é"`, "mode 04755"}
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nwant %s in it", err, part)
		}
	}
	if n := strings.Count(fmt.Sprint(err), "\n") + 1; n != len(want) {
		t.Errorf("%d errors, want %d: %v", n, len(want), err)
	}
}
