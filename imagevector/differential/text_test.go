package differential

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/imagevector"
)

// texts have surprising results in YAML, JSON or Gardener.
func texts() []string {
	return []string{
		"", " ", "\n", "---\n", "null", "~", "{}", "[]", "1", "a string", "images:", "images: null", "images: []", "images: {}", "images: 3", "images: x", "images: [null]", "images: [~, {name: a}]",
		"images: [1]", "images: [[]]", "images: [{}]", "images: [{name: }]", "images: [{name: null, repository: null}]",
		`{"images":[{"name":"a","repository":"r","tag":"v1"}]}`, "{\"images\":[{\"name\":\"a\",\"repository\":\"r\",},]}", "\t{}", "{\n\t\"images\": []\n}",
		"images:\n- name: a\n  repository: r\n  targetVersion: 1.20\n", "images:\n- name: a\n  repository: r\n  tag: 3.10\n", "images:\n- name: a\n  repository: r\n  tag: 1e3\n",
		"images:\n- name: yes\n  repository: 0x10\n  tag: 1_000\n  version: 012\n", "images:\n- name: on\n  repository: .inf\n  tag: -.inf\n  version: .nan\n",
		"images:\n- name: 18446744073709551615\n  repository: 16777217.5\n", "images:\n- name: 2024-01-01\n  repository: 2024-01-01T00:00:00Z\n", "images:\n- name: 12:30:45\n  repository: =\n",
		"images:\n- name: !!binary aGVsbG8=\n  repository: !!str 12\n", "images:\n- name: !!int foo\n  repository: r\n", "images:\n- name: !custom a\n  repository: r\n", "images:\n- name: !!float 3\n  repository: r\n",
		"images:\n- name: a\n  name: b\n  repository: r\n", "images:\n- Name: a\n  NAME: b\n  name: c\n  REPOSITORY: r\n", "Images:\n- name: a\n  repository: r\n", "images: []\nIMAGES: [{name: a, repository: r}]\n",
		"images:\n- name: a\n  repository: r\n  arch\u0131tectures: [x]\n", "images:\n- name: a\n  repo\u017fitory: r\n", "images:\n- name: a\n  repository: r\n  architectures: amd64\n",
		"images:\n- name: a\n  repository: r\n  architectures: [1, 2.50, true, null]\n", "images:\n- name: a\n  repository: r\n  architectures: []\n", "images:\n- name: a\n  repository: r\n  architectures: null\n", "images:\n- name: a\n  repository: r\n  architectures: [[x]]\n",
		"images:\n- name: a\n  repository: {x: y}\n", "images:\n- name: [a]\n  repository: r\n", "images:\n- name: {1.50: a}\n", "images: {a: b}\n", "images:\n  a: {name: 1.50}\n",
		"images:\n- name: a\n  repository: r\n  ref: x\n  tag: t\n", "images:\n- name: a\n  ref: ''\n  repository: ''\n  tag: ''\n", "images:\n- name: a\n  repository: ''\n  tag: ''\n", "images:\n- name: ''\n  tag: t\n", "images:\n- tag: t\n- tag: t\n",
		"images:\n- name: a\n  repository: r\n  runtimeVersion: '>= <'\n  targetVersion: 'a&b'\n", "images:\n- name: a\n  repository: r\n  targetVersion: \"\u2028\\0\"\n",
		"images:\n- name: a\n  repository: r\n---\nimages:\n- name: b\n  repository: r\n", "images:\n- name: a\n  repository: r\n...\ngarbage: [", "--- \n# only a comment\n",
		"images: &x\n- name: a\n  repository: r\nother: *x\n", "x: &x {repository: r, tag: t}\nimages:\n- {name: a, <<: *x}\n- {<<: *x, name: b, tag: u}\n- {name: c, tag: u, <<: *x}\n", "x: &x [1]\nimages:\n- {name: a, <<: *x}\n", "images: *x\n", "x: &x [*x]\nimages: []\n",
		"images: [", "images: ]", "images:\n- name: a\n repository: r\n", "images:\n\t- name: a\n", "images: \"a", "images: 'a", "%YAML 1.3\n---\nimages: []\n", "%TAG ! x\n---\nimages: []\n", "a: b: c", "- - -", "? [a]\n: b\n", "? {a: b}\n: c\n", "? \n: c\n", "{1: a, 1.5: b, true: c, .inf: d, 18446744073709551615: e}", "null: x", "images:\n- {name: a, repository: r, .nan: [{.nan: x}]}\n.nan: y\n", "images: []\n1: x\n'1': y\n",
		"\xff\xfe", "images: \x00", "images: []\n# \x07", "\xef\xbb\xbfimages: []", "images: [{name: \"\\ud800\", repository: r}]", "images: [{name: \"\\x00\", repository: r}]", "images: >\n  folded\n", "images: |\n  literal\n",
		"caBundle: null", "caBundle: {}", "caBundle: x", "caBundle: {inline: null}", "caBundle: {inline: ''}", "caBundle: {inline: 1.50}", "caBundle: {inline: not pem}", "caBundle: {inline: [x]}", "caBundle: []", "caBundle: {INLINE: x}", "caBundle:\n  inline: |\n    -----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----\n", "images: [{}]\ncaBundle: {inline: x}",
		"labels: .nan\nimages: []", "images:\n- name: a\n  repository: r\n  labels: .inf\n", "images:\n- name: a\n  repository: r\n  resourceId: {name: x, 3: y}\n", "images:\n- name: a\n  repository: r\n  labels: [{[a]: b}]\n",
		strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat("- ", 300), "images:\n- name: a\n  repository: \"" + strings.Repeat("x", 100_000) + "\"\n",
	}
}

func componentTexts() []string {
	return []string{
		"", "components: []", "components: [null]", "components: [{}]", "components: [{name: a}]", "components: [{name: '', imageVectorOverwrite: 'images: [{}]'}]", "components: [{name: a, imageVectorOverwrite: 'images: []'}]",
		"components: [{name: a, imageVectorOverwrite: {images: []}}]", "components: [{name: 1.50, imageVectorOverwrite: 1.50}]", "components: {}", "components: x", "components: [x]", "components: [{name: [a]}]",
		"components:\n- name: a\n  imageVectorOverwrite: |\n    images:\n    - name: x\n      tag: t\n", "components:\n- {name: a, imageVectorOverwrite: 'images: [{}]'}\n- {name: a, imageVectorOverwrite: 'images: []'}\n", "components:\n- name: a\n  imageVectorOverwrite: 'images: ['\n", "Components: [{Name: a}]",
		"components:\n- name: etcd-druid\n  imageVectorOverwrite: |\n    images:\n    - name: etcd\n      tag: v1.2.3\n      repository: etcd/etcd\n",
	}
}

func TestTexts(t *testing.T) {
	for _, text := range texts() {
		sameReading(t, []byte(text))
		if said, _ := ourReads([]byte(text)); said == tooMuch {
			t.Errorf("text %.100q is beyond the limits, and compares nothing", text)
		}
	}
	for _, name := range []string{"containers.yaml", "charts.yaml"} {
		text, err := os.ReadFile(filepath.Join(moduleDir(t, "github.com/gardener/gardener"), "imagevector", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, v := sameReading(t, text); v == nil || v.Len() == 0 {
			t.Errorf("nothing was read of Gardener's %s", name)
		}
		if _, err := imagevector.Parse(text); err != nil {
			t.Errorf("strict reading of Gardener's %s: %v", name, err)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{filepath.Join(dir, "none"), dir} {
		_, _, want := gardener.ReadFile(name)
		if _, err := imagevector.ReadFile(name, imagevector.Compatible()); fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("reading %s: ours says %v, Gardener %v", name, err, want)
		}
	}
}

func TestComponentTexts(t *testing.T) {
	for _, text := range componentTexts() {
		sameComponents(t, []byte(text))
	}
}

// sameComponents reads overwrites of components with both libraries and reports a
// difference; ok reports whether they are valid. Gardener lists errors in random
// order, so they are compared as sets.
func sameComponents(t *testing.T, text []byte) (ok bool) {
	t.Helper()
	theirs, panicked, wantErr := gardenerReadsComponents(text)
	ours, err := imagevector.ParseComponents(text, imagevector.Compatible())
	switch {
	case panicked:
		if err == nil {
			t.Errorf("text %q: Gardener crashes, ours reads it", text)
		}
		return false
	case !slices.Equal(errorList(err), errorList(wantErr)):
		t.Errorf("text %q:\n ours     %v\n Gardener %v", text, err, wantErr)
		return false
	case len(ours) != len(theirs):
		t.Errorf("text %q: ours has %d components, Gardener %d", text, len(ours), len(theirs))
	}
	for _, c := range ours {
		if theirs[c.Name] != c.Overwrite {
			t.Errorf("text %q: component %q is %q, Gardener's %q", text, c.Name, c.Overwrite, theirs[c.Name])
		}
	}
	return err == nil
}

// errorList returns the sorted errors in an error about components.
func errorList(err error) []string {
	text := fmt.Sprint(err)
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	list := strings.Split(", "+text, ", components[")
	slices.Sort(list)
	return list
}

func gardenerReadsComponents(text []byte) (c gardener.ComponentImageVectors, panicked bool, err error) {
	defer func() { panicked = recover() != nil }()
	c, err = gardener.ReadComponentOverwrite(text)
	return c, false, err
}

// manyOddComponents does the same as manyOddKeys for overwrites of components.
func manyOddComponents(text []byte) bool {
	_, panicked, first := gardenerReadsComponents(text)
	for range 12 {
		if _, _, again := gardenerReadsComponents(text); !panicked && !slices.Equal(errorList(again), errorList(first)) {
			return true
		}
	}
	return false
}

// mutate cuts, duplicates and mixes a text with others.
func mutate(r *rand.Rand, all []string) []byte {
	const marks = " \n-:{}[]&*!|>'\"%#,?~<=1.xa"
	text := []byte(all[r.IntN(len(all))])
	if len(text) > 2_000 {
		return nil
	}
	for range 1 + r.IntN(3) {
		if len(text) == 0 {
			break
		}
		i := r.IntN(len(text))
		switch r.IntN(4) {
		case 0:
			text = slices.Delete(slices.Clone(text), i, min(len(text), i+1+r.IntN(4)))
		case 1:
			text = slices.Insert(slices.Clone(text), i, marks[r.IntN(len(marks))])
		case 2:
			other := all[r.IntN(len(all))]
			text = append(slices.Clone(text[:i]), other[:min(len(other), r.IntN(60))]...)
		case 3:
			text = append(slices.Clone(text), text[i:]...)
		}
	}
	return text
}

// Mutated texts have equal results.
func TestMutatedTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 6))
	all := texts()
	for range max(20_000, *vectors) {
		text := mutate(r, all)
		if manyOddKeys(text) {
			continue
		}
		sameReading(t, text)
		if t.Failed() {
			return
		}
	}
}

// Mutated overwrites of components have equal results.
func TestMutatedComponentTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 8))
	all := componentTexts()
	read := 0
	for range max(10_000, *vectors) {
		text := mutate(r, all)
		if !manyOddComponents(text) && sameComponents(t, text) {
			read++
		}
		if t.Failed() {
			return
		}
	}
	if read < 100 {
		t.Errorf("%d texts could be read: too few", read)
	}
}

// manyOddKeys reports whether a text has two errors between which Gardener chooses at
// random: keys without JSON equivalent, or two keys with the same name.
func manyOddKeys(text []byte) bool {
	first, _, panicked := gardenerReads(text)
	if panicked {
		return false
	}
	for range 12 {
		if again, _, _ := gardenerReads(text); again != first {
			return true
		}
	}
	return false
}

func FuzzRead(f *testing.F) {
	for _, text := range texts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 10_000 && !manyOddKeys(text) {
			sameReading(t, text)
		}
	})
}
