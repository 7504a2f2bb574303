package results

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRedact(t *testing.T) {
	r := Recorder{Cache: "/home/me/.cache/hyperkube"}
	got := r.redact(`reading https://proxy.example/x/@v/v1.0.0.info: 403 Forbidden; in "/home/me/.cache/hyperkube/rebuild/trees": no`)
	if want := `reading URL: 403 Forbidden; in "$HYPERKUBE_CACHE/rebuild/trees": no`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCommittedTable(t *testing.T) {
	r := Recorder{Root: filepath.Join("..", "..", "..", "..")}
	recorded, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(r.file(File)); err != nil || !bytes.Equal(data, recorded.Format()) {
		t.Errorf("%s is not formatted as by Format (error %v)", File, err)
	}
	doc, err := os.ReadFile(r.file(DocFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := recorded.Insert(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, want) {
		t.Errorf("the table of %s differs from %s. Fix: go run ./tools/hk rebuild table", DocFile, File)
	}
}

// A binary that was built once stays recorded as built.
func TestRecord(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		File:    `{"schema": 1, "results": []}`,
		DocFile: begin + "\n" + end + "\n",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	r := Recorder{Root: root, Cache: filepath.Join(root, "cache")}
	of := func(outcome, missingDate string) Result {
		result := result(t, "v1.36.0", "linux/amd64", "kubectl", outcome)
		result.MissingDate = missingDate
		return result
	}
	for i, step := range []struct {
		result                   Result
		wantOutcome, wantMissing string
	}{
		{of(Unbuildable, "client"), Unbuildable, "client"},
		{of(Unbuildable, ""), Unbuildable, ""},
		{of(Differs, ""), Differs, ""},
		{of(Unbuildable, ""), Differs, ""},
		{of(Matched, ""), Matched, ""},
		{of(Unbuildable, ""), Matched, ""},
	} {
		if err := r.Record(t.Context(), step.result); err != nil {
			t.Fatal(err)
		}
		recorded, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		got := recorded[step.result.Key]
		if got.Outcome != step.wantOutcome || got.MissingDate != step.wantMissing {
			t.Fatalf("step %d: outcome %q, missing date %q; want %q, %q", i, got.Outcome, got.MissingDate, step.wantOutcome, step.wantMissing)
		}
	}
	doc, err := os.ReadFile(r.file(DocFile))
	if err != nil || !bytes.Contains(doc, []byte("| v1.36.0 | go1.26.2 | ✓·")) {
		t.Errorf("table (error %v):\n%s", err, doc)
	}
}
