package redate

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const program = `package main

var built, committed string

func main() { println(built, committed) }
`

// link builds the program with dates.
func link(t *testing.T, dir, built, committed string, flags ...string) ([]byte, Inputs) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	args := append([]string{"build", "-buildvcs=false", "-o", out}, flags...)
	args = append(args, "-ldflags=-X main.built="+built+" -X main.committed="+committed, ".")
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GODEBUG=gocachehash=1")
	if os.Getenv("GOCACHE") == "" && os.Getenv("HOME") == "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+filepath.Join(os.TempDir(), "redate-test-cache"))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var output []string
	err := cmd.Run()
	inputs, ierr := ReadInputs(&stderr, "example.org/program", func(s string) { output = append(output, s) })
	if err != nil || ierr != nil {
		t.Fatalf("building: %v, %v: %s", err, ierr, strings.Join(output, "\n"))
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file, inputs
}

// Sums for other dates must be those of the programs that go links. Without
// -trimpath the dates are in the build information, too, and so in the inputs of
// the compilation of package main.
func TestSumEqualsLink(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command here")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/program\n\ngo 1.21\n", "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const built, committed = "2001-02-03T04:05:06Z", "2001-02-03T07:08:09Z"
	for _, flags := range [][]string{{"-trimpath"}, {}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			file, inputs := link(t, dir, built, committed, flags...)
			p, err := New(file, inputs, built, committed)
			if err != nil {
				t.Fatal(err)
			}
			for _, dates := range [][2]string{
				{"2026-04-22T13:54:45Z", "2026-04-22T13:51:51Z"},
				{"2024-01-17T15:41:11Z", "2024-01-17T15:41:11Z"},
			} {
				linked, _ := link(t, dir, dates[0], dates[1], flags...)
				if got, want := p.Sum(dates[0], dates[1]), sha256.Sum256(linked); got != want {
					t.Errorf("sum for %q is %x, but that of the linked program is %x", dates, got, want)
				}
				if p.Sum(dates[0], committed) == p.Sum(dates[0], dates[1]) {
					t.Error("the sum does not depend on the second date")
				}
			}

			flipped := bytes.Clone(file)
			flipped[len(flipped)-100] ^= 1
			if _, err := New(flipped, inputs, built, committed); err == nil {
				t.Error("New accepted a program with a flipped bit")
			}
			if _, err := New(file, Inputs{inputs.Compile, inputs.Link[1:]}, built, committed); err == nil {
				t.Error("New accepted inputs of another program")
			}
			if !p.Depends(0) || !p.Depends(1) {
				t.Errorf("depends on its dates: %v and %v, want both", p.Depends(0), p.Depends(1))
			}
			other, err := New(file, inputs, built, "2002-02-02T02:02:02Z")
			if err != nil {
				t.Fatal(err)
			}
			if other.Depends(1) {
				t.Error("the program depends on a placeholder that it does not contain")
			}
		})
	}
}

func TestReadInputs(t *testing.T) {
	const report = `HASH[build x/y]
HASH[build x/y]: "go1.21"
HASH[build x/y]: "compile\n"
HASH[build x/y]: 0123abcd
HASH[build x/y/z]: "other"
HASH[link x/y]
HASH[link x/y]: "stale"
HASH[link x/y]
HASH[link x/y]: "go1.21"
HASH[link x/y]: "link \"a\"\n"
HASH /some/file: 0123abcd
x/y
`
	var other []string
	in, err := ReadInputs(strings.NewReader(report), "x/y", func(s string) { other = append(other, s) })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(in.Compile), "go1.21compile\n"; got != want {
		t.Errorf("compile input %q, want %q", got, want)
	}
	if got, want := string(in.Link), "go1.21link \"a\"\n"; got != want {
		t.Errorf("link input %q, want %q", got, want)
	}
	if len(other) != 1 || other[0] != "x/y" {
		t.Errorf("other lines %q, want only x/y", other)
	}
	for name, bad := range map[string]string{
		"nothing":  "",
		"no link":  "HASH[build x/y]\nHASH[build x/y]: \"go\"\n",
		"no quote": "HASH[build x/y]: \"go\n",
	} {
		if _, err := ReadInputs(strings.NewReader(bad), "x/y", func(string) {}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	name := os.Getenv("REDATE_PROGRAM") // any big program: only the speed counts
	file := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	if name != "" {
		var err error
		if file, err = os.ReadFile(name); err != nil {
			b.Fatal(err)
		}
	}
	const date = "2001-02-03T04:05:06Z"
	at := len(file) * 2 / 5
	copy(file[at:], date)
	p := &Program{dates: []string{date}, id: buildID{strings.Repeat("a", 20), strings.Repeat("b", 20), strings.Repeat("c", 20), strings.Repeat("d", 20)}}
	p.file = newHashState(file, []patchSite{{4096, 83, buildIDSite}, {at, len(date), 0}})
	var err error
	if p.content, err = p.file.skipIDs(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		p.Sum("2026-04-22T13:54:45Z")
	}
}
