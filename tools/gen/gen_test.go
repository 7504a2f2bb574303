package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gen": main})
}

func TestScripts(t *testing.T) { script.Run(t, testscript.Params{Dir: "testdata"}) }

// The committed files are up to date. Bazel has symlinks to the files of the
// repository.
func TestCommittedFilesAreFresh(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"versions", "images", "imagevector"} {
		if err := copyDir(filepath.Join("..", "..", dir), filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	var out, stderr bytes.Buffer
	err := run(t.Context(), cli.Env{Args: []string{"-mode=diff"}, Dir: root, Out: &out, Err: &stderr})
	if err != nil {
		const most = 4000
		t.Errorf("%v\n%s%s", err, stderr.String(), out.Bytes()[:min(most, out.Len())])
	}
}

// copyDir copies a directory. It dereferences symlinks.
func copyDir(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, entry := range entries {
		src, dst := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		info, err := os.Stat(src)
		switch {
		case err != nil:
			return fmt.Errorf("copying %q: %w", src, err)
		case info.IsDir():
			err = copyDir(src, dst)
		default:
			var b []byte
			if b, err = os.ReadFile(src); err == nil {
				err = os.WriteFile(dst, b, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
