package imagevector

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

// seeds returns the texts of all tests.
func seeds(f testing.TB) [][]byte {
	files, err := filepath.Glob("testdata/strict/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("finding seeds: %d, %v", len(files), err)
	}
	var texts [][]byte
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, archive.Files[0].Data)
	}
	for _, bomb := range bombs() {
		if len(bomb) < 2_000 {
			texts = append(texts, []byte(bomb))
		}
	}
	for _, text := range []string{
		`{"images":[{"name":"a","repository":"example.com/a","tag":"v1","targetVersion":">= 1.20","architectures":["amd64"]}]}`,
		"images:\n- {name: a, repository: r, tag: \"\\u00e9\\x07\\n\"}\n", "images: [{name: \"a\\tb\", repository: r}]", "? images\n: []", "\ufeffimages: []",
		"images:\n- name: >-\n    folded\n    name\n  repository: |-\n    r\n  version: 'it''s'\n",
	} {
		texts = append(texts, []byte(text))
	}
	return texts
}

// sameEntries compares entries without their positions.
func sameEntries(a, b []Source) bool {
	strip := func(list []Source) []Source {
		out := make([]Source, len(list))
		for i := range list {
			out[i] = list[i]
			out[i].Position = Position{}
		}
		return out
	}
	return reflect.DeepEqual(strip(a), strip(b))
}

// parsed checks a text: no panic; strict and compatible reading agree if both accept
// it; rendered entries are read unchanged.
func parsed(t *testing.T, data []byte) {
	utf16 := bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
	if root, _, err := parseTree(data); err == nil && !utf16 {
		if n, most := countNodes(root), estimateValues(data); n > most {
			t.Fatalf("%d values, where at most %d were to be expected", n, most)
		}
	}
	for _, c := range []Generation{Auto, Current, Oldest} {
		v, err := Parse(data, WithGeneration(c))
		compatible, compatibleErr := Parse(data, Compatible(), WithGeneration(c))
		if err != nil {
			checkPositions(t, err, data)
			continue
		}
		if compatibleErr != nil {
			t.Fatalf("strict reading accepts what Gardener refuses: %v", compatibleErr)
		}
		if c == Auto { // the default of compatible reading is Current
			if compatible, err = Parse(data, Compatible(), WithGeneration(v.Generation())); err != nil {
				t.Fatal(err)
			}
		}
		if !sameEntries(v.Sources(), compatible.Sources()) {
			t.Fatalf("strict reading:\n%+v\ncompatible reading:\n%+v", v.Sources(), compatible.Sources())
		}
		for i, s := range v.Sources() {
			if s.Position != compatible.sources[i].Position {
				t.Fatalf("entry %d is at %v, and at %v in compatible reading", i, s.Position, compatible.sources[i].Position)
			}
		}
		written := Render("", v.Sources(), v.CABundle())
		again, err := Parse(written, WithGeneration(Current))
		if err != nil {
			t.Fatalf("what is written cannot be read: %v\n%s", err, written)
		}
		if !sameEntries(v.Sources(), again.Sources()) {
			t.Fatalf("what is written is read otherwise:\n%+v\n%s", v.Sources(), written)
		}
		for _, name := range v.Names() {
			if _, err := v.Find(name, RuntimeVersion("1.30.2"), TargetVersion("1.30.2")); err != nil {
				var none *NotFoundError
				if !errors.As(err, &none) {
					t.Fatalf("finding %q: %v", name, err)
				}
			}
		}
	}
	if components, err := ParseComponents(data); err == nil {
		if _, err := ParseComponents(data, Compatible()); err != nil {
			t.Fatalf("strict reading accepts components that Gardener refuses: %v", err)
		}
		for _, c := range components {
			if c.Vector == nil {
				t.Fatalf("component %q has no vector", c.Name)
			}
		}
	}
	_, _ = ParseComponents(data, Compatible())
}

func countNodes(n *yaml.Node) int {
	count := 1
	for _, child := range n.Content {
		count += countNodes(child)
	}
	return count
}

// checkPositions checks that the positions of problems are inside the text.
func checkPositions(t *testing.T, err error, data []byte) {
	var problems Problems
	if !errors.As(err, &problems) {
		return
	}
	lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u0085") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029") + 2
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines {
			t.Fatalf("%v: the text has %d lines", p, lines)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(parsed)
}

// The vector of the documentation.
func FuzzOverwrite(f *testing.F) {
	base, err := os.ReadFile("testdata/pause.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range seeds(f) {
		f.Add(base, text)
	}
	f.Fuzz(func(t *testing.T, base, over []byte) {
		v, err := Parse(base, Compatible())
		if err != nil {
			return
		}
		o, err := Parse(over, Compatible())
		if err != nil {
			return
		}
		before := v.Sources()
		merged := v.Overwrite(o)
		if !sameEntries(before, v.Sources()) {
			t.Fatal("overwriting changed the vector")
		}
		// A second merge changes nothing, except the version that becomes the old tag.
		again := merged.Overwrite(o)
		if again.Len() != merged.Len() {
			t.Fatalf("overwriting twice makes %d entries of %d", again.Len(), merged.Len())
		}
		for i := range merged.sources {
			if !SameKey(merged.sources[i], again.sources[i]) || merged.sources[i].ToImage(nil).String() != again.sources[i].ToImage(nil).String() {
				t.Fatalf("overwriting twice makes %+v of %+v", again.sources[i], merged.sources[i])
			}
		}
		if merged.Len() < len(Merge(before)) || merged.Len() > v.Len()+o.Len() {
			t.Fatalf("%d entries and %d make %d", v.Len(), o.Len(), merged.Len())
		}
	})
}

// FuzzRender renders and reads sources that no file could have.
func FuzzRender(f *testing.F) {
	f.Add("a", "example.com/a", "v1", ">= 1.20", "1.0")
	f.Add("yes", "3.10", "~", "*", "null\n")
	f.Add("é\x07", " x", "x ", "- a", "#\t\u2028\ufeff\U0001F600")
	f.Fuzz(func(t *testing.T, name, repository, tag, constraint, version string) {
		s := Source{Name: name, Repository: &repository, Tag: &tag, TargetVersion: &constraint, Version: &version, Architectures: []string{name}}
		for _, field := range []string{name, repository, tag, constraint, version} {
			if strings.ToValidUTF8(field, "") != field {
				return
			}
		}
		v, err := Parse(Render(version, []Source{s}, nil), Compatible())
		if err != nil {
			var problems Problems
			if problems.checkCompatible(&s, 0); len(problems) == 0 {
				t.Fatal(err)
			}
			return
		}
		if !sameEntries(v.Sources(), []Source{s}) {
			t.Fatalf("%+v is read as %+v", s, v.Sources())
		}
	})
}
