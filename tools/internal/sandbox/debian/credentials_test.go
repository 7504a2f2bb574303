//go:build e2e

package debian

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// A root has no passwords of the machine's apt configuration.
func TestEnsureWithoutCredentials(t *testing.T) {
	const password = "correcthorse"
	conf := filepath.Join(t.TempDir(), "apt.conf")
	if err := os.WriteFile(conf, []byte(`Acquire::http::Proxy::other.invalid "http://user:`+password+`@proxy.invalid:3128";`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", conf)
	dir, err := os.MkdirTemp("", "hyperkube-roots-")
	if err != nil {
		t.Fatal(err)
	}
	// Removal needs the privileges of the bootstrap.
	defer func() {
		if err := remove(t.Context(), dir); err != nil {
			t.Error(err)
		}
	}()
	root, err := Ensure(t.Context(), Config{Dir: dir, Log: io.Discard, Progress: progress.New(io.Discard, nil), Getenv: os.Getenv}, Spec{Suite: "bookworm"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = filepath.WalkDir(filepath.Dir(root.Dir()), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) == ".deb" {
			if errors.Is(err, fs.ErrPermission) {
				return nil // of another user ID
			}
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(password)) {
			t.Errorf("%s has the password", path)
		}
		return err
	})
	if err != nil || n < 1000 {
		t.Errorf("read %d files, %v", n, err)
	}
}
