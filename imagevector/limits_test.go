package imagevector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// bombs returns small texts that expand to large ones.
func bombs() map[string]string {
	aliases := func(scalar string, levels int) string {
		b := strings.Builder{}
		fmt.Fprintf(&b, "a0: &a0 [%s]\n", scalar)
		for i := 1; i < levels; i++ {
			fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
		}
		fmt.Fprintf(&b, "images: *a%d\n", levels-1)
		return b.String()
	}
	return map[string]string{
		"aliases":              aliases("x", 12),
		"aliases, few levels":  aliases("x", 7),
		"long scalar, aliased": "a: &a \"" + strings.Repeat("x", 1<<20) + "\"\nimages: [" + strings.Repeat("*a, ", 10_000) + "]\n",
		"keys of aliases":      aliases("x", 6) + "? [*a5, *a5]\n: x\n",
		// Compatible reading does not parse the second document.
		"keys of aliases, and a broken document": "a: &a \"" + strings.Repeat("x", 1<<19) + "\"\n? [" + strings.Repeat("*a, ", 1_000) + "]\n: x\n---\n]\n",
		"flow lists":                             strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"flow mappings":                          strings.Repeat("{a: ", 9_000) + strings.Repeat("}", 9_000),
		"block lists":                            strings.Repeat("- ", 9_000) + "x",
		"beyond the parser":                      strings.Repeat("[", 100_000),
		"indentation":                            indented(5_000),
		"huge scalar":                            "images:\n- name: a\n  repository: " + strings.Repeat("x", MaxFileSize),
		"huge file":                              strings.Repeat("# comment\n", MaxFileSize/9),
		"huge tag":                               "images:\n- name: a\n  repository: r\n  tag: \"" + strings.Repeat("x", 1<<20+1) + "\"\n",
		"huge constraint":                        "images:\n- name: a\n  repository: r\n  targetVersion: \"" + strings.Repeat("1 || ", 250_000) + "1\"\n",
		"unknown keys":                           "images: [~]\n" + manyKeys(200_000),
		"unknown keys of entries":                "images: [" + strings.Repeat("{x: y}, ", 100_000) + "]",
		"long unknown keys":                      "a: &a {\"" + strings.Repeat("x", 1<<19) + "\": y}\nimages: [" + strings.Repeat("*a, ", 100) + "]\n",
		"aliased faults":                         "a: &a {tag: \"\"}\nimages: [" + strings.Repeat("*a, ", 100_000) + "]\n",
		"empty entries":                          "images: [" + strings.Repeat("{}, ", 150_000) + "]",
		"null entries":                           "images: [" + strings.Repeat("~, ", 300_000) + "]",
		"crowded":                                "images: [" + strings.Repeat("~, ", 1_000_000) + "]",
		"many documents":                         strings.Repeat("---\n", 1_000_000),
		"merge keys":                             "x: &x {" + strings.Repeat("a: b, ", 1_000) + "}\nimages:\n" + strings.Repeat("- {<<: *x, name: a, repository: r}\n", 10_000),
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: x\n", i)
	}
	return b.String()
}

func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// Such texts are errors, and use little memory.
func TestExpansionLimits(t *testing.T) {
	all := bombs()
	for name, bomb := range all {
		for mode, read := range map[string]func() error{
			"strict":     func() error { _, err := Parse([]byte(bomb)); return err },
			"compatible": func() error { _, err := Parse([]byte(bomb), Compatible()); return err },
			"components": func() error { _, err := ParseComponents([]byte(bomb), Compatible()); return err },
		} {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			err := read()
			runtime.ReadMemStats(&after)
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 512<<20 {
				t.Errorf("%s, %s: %d MiB for a text of %d KiB", name, mode, spent>>20, len(bomb)>>10)
			}
			if err == nil && mode != "components" {
				t.Errorf("%s, %s: read without an error", name, mode)
			}
			if err != nil && len(err.Error()) > 4<<20 {
				t.Errorf("%s, %s: an error of %d bytes", name, mode, len(err.Error()))
			}
		}
	}
	var limit *LimitError
	for _, name := range []string{"aliases", "flow lists", "flow mappings", "huge file", "long scalar, aliased", "huge tag", "crowded"} {
		_, err := Parse([]byte(all[name]))
		_, compatible := Parse([]byte(all[name]), Compatible())
		if !errors.As(compatible, &limit) || !errors.As(err, &limit) {
			t.Errorf("%s: errors %.200v and %.200v, want a LimitError", name, err, compatible)
		}
	}
}

// A file above the size limit is an error, and not read in part.
func TestLargeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "images.yaml")
	for size, fits := range map[int]bool{MaxFileSize: true, MaxFileSize + 1: false, 2 * MaxFileSize: false} {
		text := "images: []\n#"
		if err := os.WriteFile(file, []byte(text+strings.Repeat("x", size-len(text))), 0o644); err != nil {
			t.Fatal(err)
		}
		var limit *LimitError
		if _, err := ReadFile(file); fits && err != nil || !fits && !errors.As(err, &limit) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// Long values are truncated in messages.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("é", 1_000)
	for _, text := range []string{
		"images: [{" + long + ": x}]", "images: [{name: a, name: b, " + long + ": 1, " + long + ": 2}]", "images: [{name: a, repository: " + long + "}]",
		"images: [{name: a, repository: r, tag: !!" + strings.Repeat("e", 1_000) + " x}]", "images: [{name: a, repository: r, labels: {" + long + ": 1, " + long + ": 2}}]",
		"images: [{name: \"" + long + "\\n\", repository: r}]", "images: [{name: a, repository: r, tag: 1" + strings.Repeat("0", 1_000) + "}]",
		"images: [{name: " + long + ", repository: r}, {name: " + long + ", repository: r}]",
	} {
		_, err := Parse([]byte(text))
		var problems Problems
		if !errors.As(err, &problems) {
			t.Fatalf("%.100q: %v", text, err)
		}
		for _, p := range problems {
			if len(p.Field) > 250 || len(p.Message) > 600 || !utf8.ValidString(p.Error()) {
				t.Errorf("%.100q: a field of %d bytes, a message of %d: %s", text, len(p.Field), len(p.Message), p)
			}
		}
	}
}

// A name with thousands of entries is checked in reasonable time, or is an error.
func TestManyEntriesOfOneName(t *testing.T) {
	both := func(n int) []byte {
		var b strings.Builder
		b.WriteString("images:\n")
		for i := range n {
			fmt.Fprintf(&b, "- {name: a, repository: r/a, tag: v%d, runtimeVersion: '= 1.%d.0', targetVersion: '= 1.%d.1'}\n", i, i, n-i)
		}
		return []byte(b.String())
	}
	if _, err := Parse(both(300)); err != nil {
		t.Errorf("300 entries with constraints on both versions: %v", err)
	}
	if _, err := Parse(both(2_000)); err == nil || !strings.Contains(err.Error(), "too many combinations of constraints on both versions to be checked") {
		t.Errorf("2000 entries with constraints on both versions: %.300v", err)
	}
	if _, err := Parse(manyEntries(10_000, 1)); err != nil {
		t.Errorf("10000 entries of one name: %.300v", err)
	}
}
