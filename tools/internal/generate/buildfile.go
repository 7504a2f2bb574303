package generate

import (
	"bytes"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// buildFile writes a BUILD file. Attributes must be written in the order of
// buildifier. Empty attributes are omitted.
type buildFile struct{ b bytes.Buffer }

func newBuildFile(loads ...string) *buildFile {
	f := &buildFile{}
	f.text(Header + "\n" + strings.Join(loads, "\n") + "\n")
	return f
}

func (f *buildFile) text(s string) { f.b.WriteString(s) }

func (f *buildFile) call(function, name string, attributes func()) {
	f.text("\n" + function + "(\n    name = " + quote(name) + ",\n")
	attributes()
	f.text(")\n")
}

func (f *buildFile) string(attribute, value string) {
	if value != "" {
		f.text("    " + attribute + " = " + quote(value) + ",\n")
	}
}

func (f *buildFile) list(attribute string, items []string) {
	if len(items) > 0 {
		f.text("    " + attribute + " = ")
		f.items("    ", items)
	}
}

// items writes a list: one item in the same line, several in a line each.
func (f *buildFile) items(indent string, items []string) {
	if len(items) == 1 {
		f.text("[" + quote(items[0]) + "],\n")
		return
	}
	f.text("[\n")
	for _, item := range items {
		f.text(indent + "    " + quote(item) + ",\n")
	}
	f.text(indent + "],\n")
}

func (f *buildFile) dict(attribute string, pairs []versions.Pair) {
	if len(pairs) == 0 {
		return
	}
	f.text("    " + attribute + " = {\n")
	for _, p := range pairs {
		f.text("        " + quote(p.Key) + ": " + quote(p.Value) + ",\n")
	}
	f.text("    },\n")
}

// quote quotes a string of printable ASCII; a catalog has no other strings.
func quote(s string) string {
	if !strings.ContainsAny(s, `\"`) {
		return `"` + s + `"`
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
