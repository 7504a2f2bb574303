package output

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const header = "# ours\n"

// write makes files below root.
func write(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns the files below root.
func read(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(root, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		raw, err := os.ReadFile(file)
		name, relErr := filepath.Rel(root, file)
		files[name] = string(raw)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func raw(files map[string]string) map[string][]byte {
	out := map[string][]byte{}
	for name, text := range files {
		out[name] = []byte(text)
	}
	return out
}

func TestApply(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"images/same/BUILD.bazel":   header + "same",
		"images/stale/BUILD.bazel":  header + "stale",
		"images/other/BUILD.bazel":  header + "before",
		"images/theirs/BUILD.bazel": "theirs",
		"images/defs.bzl":           "theirs",
		"images/ours.txt":           header + "but of a kind that is never written",
		"elsewhere/BUILD.bazel":     header + "elsewhere",
	})
	want := map[string]string{
		"images/same/BUILD.bazel":  header + "same",
		"images/other/BUILD.bazel": header + "after",
		"images/new/a/BUILD.bazel": header + "new",
	}
	tree := Tree{Root: root, Dir: "images", Header: header}
	change, err := tree.Compare(raw(want))
	if err != nil {
		t.Fatal(err)
	}
	const diff = `diff /dev/null b/images/new/a/BUILD.bazel
--- /dev/null
+++ b/images/new/a/BUILD.bazel
@@ -0,0 +1,2 @@
+# ours
+new
\ No newline at end of file
diff a/images/other/BUILD.bazel b/images/other/BUILD.bazel
--- a/images/other/BUILD.bazel
+++ b/images/other/BUILD.bazel
@@ -1,2 +1,2 @@
 # ours
-before
\ No newline at end of file
+after
\ No newline at end of file
diff a/images/stale/BUILD.bazel /dev/null
--- a/images/stale/BUILD.bazel
+++ /dev/null
@@ -1,2 +0,0 @@
-# ours
-stale
\ No newline at end of file
`
	if got := string(change.Diff()); got != diff {
		t.Errorf("diff:\n%s", got)
	}
	if written, deleted := change.Count(); written != 2 || deleted != 1 {
		t.Errorf("%d written, %d deleted", written, deleted)
	}
	same := filepath.Join(root, "images/same/BUILD.bazel")
	before, err := os.Stat(same)
	if err != nil {
		t.Fatal(err)
	}
	if err := change.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	maps.Copy(want, map[string]string{
		"images/theirs/BUILD.bazel": "theirs",
		"images/defs.bzl":           "theirs",
		"images/ours.txt":           header + "but of a kind that is never written",
		"elsewhere/BUILD.bazel":     header + "elsewhere",
	})
	if got := read(t, root); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if after, err := os.Stat(same); err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("an unchanged file was written")
	}
	if again, err := tree.Compare(raw(want2(want))); err != nil || !again.Empty() {
		t.Errorf("a second run changes something: %v, %v", again, err)
	}
}

// want2 is what of a tree is ours to write.
func want2(files map[string]string) map[string]string {
	ours := map[string]string{}
	for name, text := range files {
		if strings.HasPrefix(text, header) && strings.HasPrefix(name, "images/") && strings.HasSuffix(name, ".bazel") {
			ours[name] = text
		}
	}
	return ours
}

func TestCompareKeepsOffOthers(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{"images/a/BUILD.bazel": "theirs"})
	if err := os.Symlink("a", filepath.Join(root, "images/b")); err != nil {
		t.Fatal(err)
	}
	tree := Tree{Root: root, Dir: "images", Header: header}
	_, err := tree.Compare(raw(map[string]string{"images/a/BUILD.bazel": header, "images/b": header}))
	for _, want := range []string{`writing "images/a/BUILD.bazel": it is there, and others wrote it`, `writing "images/b": it is there, and no regular file`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A process that applies changes for ever is killed at moments of no choosing;
// the tree must always be one of the two that it writes.
func TestApplyKilled(t *testing.T) {
	root := os.Getenv("TREE_ROOT")
	states := [2]map[string]string{{}, {}}
	for i, text := range []string{"old", "new"} {
		for _, dir := range []string{"a", "b", "c", "d", "e", "f", "g", text} {
			states[i]["images/"+dir+"/BUILD.bazel"] = header + text
		}
	}
	if root != "" {
		for i := 0; ; i++ {
			change, err := Tree{Root: root, Dir: "images", Header: header}.Compare(raw(states[i%2]))
			if err == nil {
				err = change.Apply(t.Context(), nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	root = t.TempDir()
	write(t, root, states[0])
	for i := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestApplyKilled$")
		cmd.Env = append(os.Environ(), "TREE_ROOT="+root)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50*time.Millisecond + time.Duration(i)*3*time.Millisecond)
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		got := map[string]string{}
		for name, text := range read(t, filepath.Join(root, "images")) {
			got["images/"+name] = text
		}
		if !maps.Equal(got, states[0]) && !maps.Equal(got, states[1]) {
			t.Fatalf("after kill %d: %q", i, got)
		}
	}
}

// What appears between the look and the change is somebody's, and stays theirs.
func TestApplyLooksAgain(t *testing.T) {
	for name, theirs := range map[string]map[string]string{
		"a new file":     {"images/new/BUILD.bazel": "theirs"},
		"an edited file": {"images/old/BUILD.bazel": "theirs"},
	} {
		root := t.TempDir()
		write(t, root, map[string]string{"images/old/BUILD.bazel": header + "old"})
		change, err := Tree{Root: root, Dir: "images", Header: header}.Compare(raw(map[string]string{
			"images/new/BUILD.bazel": header + "new", "images/old/BUILD.bazel": header + "changed",
		}))
		if err != nil {
			t.Fatal(err)
		}
		write(t, root, theirs)
		before := read(t, root)
		if err := change.Apply(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "others wrote it") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := read(t, root); !maps.Equal(got, before) {
			t.Errorf("%s: the tree is %q, was %q", name, got, before)
		}
	}
}

// Many at once leave one state, and nothing beside it.
func TestApplyAtOnce(t *testing.T) {
	root := t.TempDir()
	want := map[string]string{}
	for _, dir := range []string{"a", "b", "c"} {
		want["images/"+dir+"/BUILD.bazel"] = header + dir
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			change, err := Tree{Root: root, Dir: "images", Header: header}.Compare(raw(want))
			if err == nil {
				err = change.Apply(t.Context(), nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := read(t, root); !maps.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
