package imagevector

import (
	"errors"
	"strings"
	"testing"
)

// Error texts are byte for byte those of Gardener. The differential tests compare many
// more with Gardener itself.
func TestCompatibleErrors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"images: [{}]", "[images[0].name: Required value: image name is required, images[0].ref/repository: Required value: either image ref or repository+tag is required]"},
		{"images: [{name: a, repository: r}, {name: b}]", "images[1].ref/repository: Required value: either image ref or repository+tag is required"},
		{"images: [{name: a, ref: '', repository: r, tag: t}]", `[images[0].ref: Invalid value: "": ref must not be empty if specified, images[0].repository: Forbidden: cannot specify repository when ref is set, images[0].tag: Forbidden: cannot specify tag when ref is set]`},
		{"images: [{name: a, repository: '', tag: ''}]", `[images[0].repository: Invalid value: "": repository must not be empty if specified, images[0].tag: Invalid value: "": image tag must not be empty if specified]`},
		{"images: [{name: a, repository: r, runtimeVersion: '', targetVersion: '>= x.y'}]", `[images[0].runtimeVersion: Invalid value: "": improper constraint: "", images[0].targetVersion: Invalid value: "\u003e= x.y": improper constraint: ">= x.y"]`},
		{"images: x", `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field .images of type imagevector.ImageVector`},
		{"images: [", "error converting YAML to JSON: yaml: line 1: did not find expected node content"},
		{"caBundle: {inline: x}", `caBundle.inline: Invalid value: "x": not a valid PEM-encoded certificate`},
	} {
		_, err := Parse([]byte(tt.in), Compatible())
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got  %v\n want %s", tt.in, err, tt.want)
		}
	}
	// Gardener panics.
	_, err := Parse([]byte("images:\n- name: a\n  repository: r\n-\n"), Compatible(), WithFile("f.yaml"))
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Field != "images[1]" || problems[0].Line != 4 {
		t.Errorf("a null entry: %v", err)
	}
}

func TestCompatibleQuirks(t *testing.T) {
	v, err := Parse([]byte("IMAGES:\n- Name: yes\n  unknown: x\n  repository: r\n  tag: 1.10\n  repository: s\n  architectures: [1.50, z80]\n"), Compatible(), WithFile("f.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := v.Sources()[0]
	if s.Name != "true" || *s.Repository != "s" || *s.Tag != "1.1" || strings.Join(s.Architectures, ",") != "1.5,z80" {
		t.Errorf("read as %+v", s)
	}
	if got := s.Position.String(); got != "f.yaml:2:3" {
		t.Errorf("position is %s", got)
	}
}

func TestComponentsAreSorted(t *testing.T) {
	data := []byte("components:\n- name: b\n  imageVectorOverwrite: 'images: []'\n- name: a\n  imageVectorOverwrite: 'images: []'\n")
	for mode, opts := range map[string][]Option{"strict": nil, "compatible": {Compatible()}} {
		got, err := ParseComponents(data, opts...)
		if err != nil || len(got) != 2 || got[0].Name != "a" || got[0].Position.Line != 4 || got[1].Name != "b" {
			t.Errorf("%s: %+v, %v", mode, got, err)
		}
	}
}

func TestCompatibleComponents(t *testing.T) {
	got, err := ParseComponents([]byte("components:\n- name: b\n  imageVectorOverwrite: 'images: []'\n- name: a\n  imageVectorOverwrite: '{}'\n- name: b\n  imageVectorOverwrite: 'images: [{name: x, repository: r}]'\n"), Compatible())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Name != "a" || got[1].Vector.Len() != 1 {
		t.Errorf("read as %+v", got)
	}
	_, err = ParseComponents([]byte("components: [{name: '', imageVectorOverwrite: 'images: [{name: x}]'}]"), Compatible())
	want := `[components[].name: Required value: component name is required, components[].imageVectorOverwrite: Invalid value: "images: [{name: x}]": images[0].ref/repository: Required value: either image ref or repository+tag is required]`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// The oldest generation has its constraint in "version", which current versions of
// Gardener ignore.
func TestGenerations(t *testing.T) {
	data := []byte("images:\n- name: pause\n  repository: r/pause\n  tag: '3.4'\n  version: 1.20.x\n- name: pause\n  repository: r/pause\n  tag: '3.5'\n  version: '>= 1.21'\n")
	for _, tt := range []struct {
		name string
		opts []Option
		want string
	}{
		{"strict", nil, "r/pause:3.5"},
		{"compatible", []Option{Compatible()}, "r/pause:3.4"},
		{"compatible, oldest", []Option{Compatible(), WithGeneration(Oldest)}, "r/pause:3.5"},
	} {
		v, err := Parse(data, tt.opts...)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if image, err := v.Find("pause", RuntimeVersion("1.22.0"), TargetVersion("1.22.0")); err != nil || image.String() != tt.want {
			t.Errorf("%s: got %v, %v, want %s", tt.name, image, err, tt.want)
		}
	}
	for version, want := range map[string]Generation{"1.20.x": Oldest, ">= 1.21": Oldest, "*": Oldest, "1.20 || 1.22": Oldest, "~1.2": Oldest, "v1.2.3": Current, "1.20": Current, "1.20.4": Current, "v1.33.2-gardener.1": Current, "latest": Current, "> latest": Current} {
		if got := GenerationOf([]Source{{Version: &version}}); got != want {
			t.Errorf("version %q: generation %v, want %v", version, got, want)
		}
	}
	if GenerationOf([]Source{{Version: text("1.20.x")}}, []Source{{TargetVersion: text("1.20.x")}}) != Current {
		t.Error("a file that knows targetVersion is of the current generation, and so is its overwrite")
	}
}
