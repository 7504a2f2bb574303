package gotool

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

func TestParseGoSum(t *testing.T) {
	sums, err := ParseGoSum("go.sum", []byte("a v1.0.0 h1:x=\na v1.0.0/go.mod h1:y=\n\n"))
	if err != nil || len(sums) != 2 || sums["a v1.0.0"] != "h1:x=" || sums["a v1.0.0/go.mod"] != "h1:y=" {
		t.Errorf("got %v, %v", sums, err)
	}
	for _, bad := range []string{"a v1.0.0", "a v1.0.0 x=", "a v1.0.0 h1:x= more"} {
		if _, err := ParseGoSum("go.sum", []byte("\n"+bad)); err == nil || !strings.Contains(err.Error(), "go.sum:2") {
			t.Errorf("%q: error %v, want the line number", bad, err)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// proxy returns a directory for GOPROXY with one module, and the module's sum.
func proxy(t *testing.T) (dir, sum string) {
	t.Helper()
	dir = t.TempDir()
	src, to := filepath.Join(dir, "src"), filepath.Join(dir, "example.org/m/@v/v1.2.3")
	write(t, filepath.Join(src, "go.mod"), "module example.org/m\n")
	write(t, filepath.Join(src, "m.go"), "package m\n")
	write(t, to+".mod", "module example.org/m\n")
	write(t, to+".info", `{"Version":"v1.2.3","Time":"2026-04-22T13:51:51Z","Origin":{"Hash":"c0ffee"}}`)
	f, err := os.Create(to + ".zip")
	if err == nil {
		err = errors.Join(zip.CreateFromDir(f, module.Version{Path: "example.org/m", Version: "v1.2.3"}, src), f.Close())
	}
	if err == nil {
		sum, err = dirhash.HashZip(f.Name(), dirhash.Hash1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, sum
}

func TestDownload(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	dir, sum := proxy(t)
	tests := []struct{ name, goSum, module, want string }{
		{"right sum", "example.org/m v1.2.3 " + sum, "example.org/m@v1.2.3", ""},
		{"another sum", "example.org/m v1.2.3 h1:AAAA=", "example.org/m@v1.2.3", "want sum h1:AAAA=, got " + sum},
		{"no sum", "example.org/other v1.2.3 " + sum, "example.org/m@v1.2.3", "missing in go.sum"},
		{"no module", "example.org/m v1.2.3 " + sum, "example.org/n@v1.0.0", "downloading module \"example.org/n@v1.0.0\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := home(t)
			goSum := filepath.Join(home, "go.sum")
			write(t, goSum, test.goSum)
			env := map[string]string{
				"PATH": os.Getenv("PATH"), "HOME": home, "GOPROXY": "file://" + dir, "GOSUMDB": "off",
				// All of these are ignored.
				"GOFLAGS": "-mod=vendor", "GOMODCACHE": "/nowhere", "GOTOOLCHAIN": "go1.99",
			}
			tool, err := New(t.Context(), Config{Dir: filepath.Join(home, "cache"), Getenv: func(k string) string { return env[k] }, GoSum: goSum})
			if err != nil {
				t.Fatal(err)
			}
			var each []string
			modules, err := tool.Download(t.Context(), []string{test.module}, func(m Module) { each = append(each, m.Path) })
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error %v, want one with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := modules[0]
			if m.Sum != sum || m.Commit != "c0ffee" || m.Time.Unix() != 1776865911 || !slices.Equal(each, []string{"example.org/m"}) {
				t.Errorf("got %+v, and calls for %q", m, each)
			}
			for range 2 {
				if _, err := os.Stat(filepath.Join(m.Dir, "m.go")); err != nil {
					t.Error(err)
				}
				// A killed process leaves a part of a module.
				write(t, filepath.Join(m.Dir+".old", "m.go"), "package half")
				if err := tool.RemoveModules("example.org/*", "v1.2.3"); err != nil {
					t.Fatal(err)
				}
				if left, err := filepath.Glob(m.Dir + "*"); len(left) > 0 || err != nil {
					t.Errorf("%q not removed (error %v)", left, err)
				}
				if _, err := tool.Download(t.Context(), []string{test.module}, nil); err != nil {
					t.Fatalf("downloading a removed module: %v", err)
				}
			}
		})
	}
}

func TestNoChecksums(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	env := map[string]string{"PATH": os.Getenv("PATH"), "HOME": home(t), "GOSUMDB": "off"}
	_, err := New(t.Context(), Config{Dir: t.TempDir(), Getenv: func(k string) string { return env[k] }})
	if err == nil || !strings.Contains(err.Error(), "-gosum") {
		t.Errorf("error %v, want the flag that replaces the checksum database", err)
	}
}

// home returns a home directory without telemetry, whose process would outlive the
// go command.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".config", "go", "telemetry", "mode"), "off")
	return dir
}

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	write(t, name, "abcd")
	if got, err := ReadFile(name, 4); err != nil || string(got) != "abcd" {
		t.Errorf("got %q, %v", got, err)
	}
	// The size of a device is 0.
	for _, path := range []string{name, "/dev/zero"} {
		if _, err := ReadFile(path, 3); err == nil || !strings.Contains(err.Error(), "want at most 3 bytes") {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
