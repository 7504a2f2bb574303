package imagevector

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Each archive has an input and the error of strict reading. The comment may have
// options, one per line.
func TestStrict(t *testing.T) {
	files, err := filepath.Glob("testdata/strict/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("finding test cases: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) == 1 {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
			}
			in, want := archive.Files[0].Data, &archive.Files[1]
			opts := []Option{WithFile("in.yaml")}
			read := func() error { _, err := Parse(in, opts...); return err }
			for line := range strings.Lines(string(archive.Comment)) {
				switch option, value, _ := strings.Cut(strings.TrimSpace(line), " "); option {
				case "overwrite":
					opts = append(opts, AsOverwrite())
				case "oldest":
					opts = append(opts, WithGeneration(Oldest))
				case "current":
					opts = append(opts, WithGeneration(Current))
				case "components":
					read = func() error { _, err := ParseComponents(in, opts...); return err }
				case "versions":
					v, architectures, _ := strings.Cut(value, " ")
					versions, err := ParseVersions(v)
					if err != nil {
						t.Fatal(err)
					}
					opts = append(opts, WithVersions(versions, strings.Fields(architectures)...))
				case "#", "":
				default:
					t.Fatalf("unknown option %q", option)
				}
			}
			got := "nothing\n"
			if err := read(); err != nil {
				got = strings.ReplaceAll(err.Error(), "\n\t", "\n") + "\n"
				var problems Problems
				if errors.As(err, &problems) {
					for _, p := range problems {
						if p.Line == 0 {
							t.Errorf("%v has no line", p)
						}
					}
				}
			}
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want.Data) {
				t.Errorf("got:\n%s\nwant:\n%s\nto accept: go test ./imagevector -run TestStrict -update", got, want.Data)
			}
		})
	}
}
