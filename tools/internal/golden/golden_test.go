package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recorder keeps errors instead of failing.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "golden.txt")
	setUpdate(t, true)
	File(t, file, []byte("1\n2\n"))
	setUpdate(t, false)
	File(t, file, []byte("1\n2\n"))
	r := &recorder{TB: t}
	File(r, file, []byte("1\n3\n"))
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "-2\n+3\n") {
		t.Errorf("got errors %q, want a diff", r.errors)
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	setUpdate(t, true)
	Dir(t, dir, ".want", map[string][]byte{"a": []byte("a\n"), "b/old": nil})
	other := filepath.Join(dir, "b", "input")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"a": []byte("a\n"), "b/c": []byte("c\n")}
	Dir(t, dir, ".want", files)
	setUpdate(t, false)
	Dir(t, dir, ".want", files)
	if got := list(t, dir, ""); !slices.Equal(got, []string{"a.want", "b/c.want", "b/input"}) {
		t.Errorf("got files %q", got)
	}
	for _, test := range []struct {
		name string
		got  map[string][]byte
	}{
		{"missing", map[string][]byte{"a": []byte("a\n")}},
		{"extra", map[string][]byte{"a": []byte("a\n"), "b/c": []byte("c\n"), "d": nil}},
		{"different", map[string][]byte{"a": []byte("a\n"), "b/c": []byte("d\n")}},
	} {
		r := &recorder{TB: t}
		if Dir(r, dir, ".want", test.got); len(r.errors) != 1 {
			t.Errorf("%s: got errors %q, want one", test.name, r.errors)
		}
	}
	r := &recorder{TB: t}
	if Dir(r, t.TempDir(), "", nil); len(r.errors) != 1 {
		t.Errorf("no files: got errors %q, want one", r.errors)
	}
}

func setUpdate(t *testing.T, value bool) {
	before := *update
	*update = value
	t.Cleanup(func() { *update = before })
}
