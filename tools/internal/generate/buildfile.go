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

// text writes strings. Concatenating them first would take a sixth of the time.
func (f *buildFile) text(all ...string) {
	for _, s := range all {
		f.b.WriteString(s)
	}
}

func (f *buildFile) call(function, name string, attributes func()) {
	f.text("\n", function, "(\n    name = ")
	f.quote(name)
	f.text(",\n")
	attributes()
	f.text(")\n")
}

func (f *buildFile) string(attribute, value string) {
	if value != "" {
		f.text("    ", attribute, " = ")
		f.quote(value)
		f.text(",\n")
	}
}

func (f *buildFile) list(attribute string, items []string) {
	if len(items) > 0 {
		f.text("    ", attribute, " = ")
		f.items("    ", items)
	}
}

// exports exports files to //images.
func (f *buildFile) exports(files []string) {
	f.text("\nexports_files(\n    ")
	f.items("    ", files)
	f.text("    visibility = [\"//images:__pkg__\"],\n)\n")
}

// items writes a list: one item in the same line, several in a line each.
func (f *buildFile) items(indent string, items []string) {
	if len(items) == 1 {
		f.text("[")
		f.quote(items[0])
		f.text("],\n")
		return
	}
	f.text("[\n")
	for _, item := range items {
		f.text(indent, "    ")
		f.quote(item)
		f.text(",\n")
	}
	f.text(indent, "],\n")
}

func (f *buildFile) dict(attribute string, pairs []versions.Pair) {
	if len(pairs) == 0 {
		return
	}
	f.text("    ", attribute, " = {\n")
	for _, p := range pairs {
		f.text("        ")
		f.quote(p.Key)
		f.text(": ")
		f.quote(p.Value)
		f.text(",\n")
	}
	f.text("    },\n")
}

// quote writes a quoted string of printable ASCII; a catalog has no other strings.
func (f *buildFile) quote(s string) {
	if strings.ContainsAny(s, `\"`) {
		s = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
	}
	f.text(`"`, s, `"`)
}
