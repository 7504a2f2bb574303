package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gen": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits CODE COMMAND… wants that very exit code.
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				var exit *exec.ExitError
				err = ts.Exec(args[1], args[2:]...)
				if got := 0; err != nil {
					if errors.As(err, &exit) {
						got = exit.ExitCode()
					}
					if got != want {
						ts.Fatalf("exit code %d, want %d: %v", got, want, err)
					}
				} else if want != 0 {
					ts.Fatalf("exit code 0, want %d", want)
				}
			},
		},
	})
}

// The committed files are what the manifest makes. The repository is two
// folders up from here, for Go as for Bazel, which has it all as links.
func TestCommittedFilesAreFresh(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"versions", "images", "imagevector"} {
		if err := solid(filepath.Join("..", "..", dir), filepath.Join(root, dir)); err != nil {
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

// solid copies a folder with the files that links lead to.
func solid(from, to string) error {
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
			err = solid(src, dst)
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
