package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
)

func TestReasonsAreGeneral(t *testing.T) {
	r := recorder{lock: "/home/me/.cache/hyperkube/rebuild/results.lock"}
	got := r.general(`reading https://proxy.example/x/@v/v1.0.0.info: 403 Forbidden; in "/home/me/.cache/hyperkube/rebuild/trees": no`)
	if want := `reading (an address) 403 Forbidden; in "$HYPERKUBE_CACHE/rebuild/trees": no`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The table that people read is that of the results.
func TestTableIsFresh(t *testing.T) {
	r := recorder{root: repositoryRoot(t)}
	known, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(r.file(results.DocFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := known.Insert(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, want) {
		t.Errorf("the table in %s is not that of %s; mend it with: go run ./tools/rebuild -table", results.DocFile, results.File)
	}
}

// What was built once is not forgotten for a bad day, and a bad day is no
// result.
func TestRecordKeepsWhatIsKnown(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		results.File:    `{"schema": 1, "results": []}`,
		results.DocFile: "<!-- table: generated from versions/rebuilt.json by tools/rebuild -->\n<!-- end of table -->\n",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	r := recorder{root: root, lock: filepath.Join(root, "lock")}
	j := target("kubectl", nobodys)
	cannot := func(t trouble) outcome { return outcome{job: j, status: unbuildable, why: "why", trouble: t} }
	for _, step := range []struct {
		news        outcome
		want, lacks string
	}{
		{cannot(trouble{passing: true}), "", ""},
		{outcome{job: j, status: stored}, "", ""},
		{cannot(trouble{lacks: "client"}), results.Unbuildable, "client"},
		{cannot(trouble{}), results.Unbuildable, ""},
		{outcome{job: j, status: differs, got: nobodys}, results.Differs, ""},
		{cannot(trouble{}), results.Differs, ""},
		{outcome{job: j, status: matched, got: nobodys}, results.Matched, ""},
		{cannot(trouble{}), results.Matched, ""},
	} {
		if err := r.record(t.Context(), []outcome{step.news}); err != nil {
			t.Fatal(err)
		}
		known, err := r.read()
		if err != nil {
			t.Fatal(err)
		}
		got, _ := known.Get(results.Key{Version: j.version, Platform: j.platform, Binary: j.binary})
		if got.Outcome != step.want || got.Lacks != step.lacks {
			t.Fatalf("after %v: %q, lacking %q; want %q, lacking %q", step.news, got.Outcome, got.Lacks, step.want, step.lacks)
		}
	}
}
