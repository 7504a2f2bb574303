package imagevector

import (
	"encoding/json"
	"testing"
)

func TestRender(t *testing.T) {
	awkward := `quote " backslash \ newline` + "\n\ttab é \u2028 \U0001F600 \x7f"
	sources := []Source{
		{Name: "plain-name", Repository: text("host.example.com:5000/a/b"), Tag: text("v1"), TargetVersion: text(">= 1.21"), Architectures: []string{amd64, arm64}},
		{Name: awkward, Ref: &awkward, Version: &awkward, RuntimeVersion: text("*"), Architectures: []string{awkward, amd64}},
		{Name: "yes", Repository: text("1.20"), Tag: text("1.20"), Version: text("null")},
		{Name: "a:", Repository: text("x #y"), Tag: text(""), Architectures: []string{}},
	}
	want := `# two
#
# lines
images:
- name: plain-name
  repository: host.example.com:5000/a/b
  tag: "v1"
  targetVersion: ">= 1.21"
  architectures: [amd64, arm64]
- name: "quote \" backslash \\ newline\n\ttab \u00e9 \u2028 \U0001f600 \x7f"
  ref: "quote \" backslash \\ newline\n\ttab \u00e9 \u2028 \U0001f600 \x7f"
  version: "quote \" backslash \\ newline\n\ttab \u00e9 \u2028 \U0001f600 \x7f"
  runtimeVersion: "*"
  architectures: ["quote \" backslash \\ newline\n\ttab \u00e9 \u2028 \U0001f600 \x7f", amd64]
- name: "yes"
  repository: "1.20"
  tag: "1.20"
  version: "null"
- name: "a:"
  repository: "x #y"
  tag: ""
  architectures: []
`
	got := string(Render("two\n\nlines\n", sources, nil))
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	d, err := decodeVector([]byte(got))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sources {
		if !sameEntries([]Source{*d.sources[i]}, sources[i:i+1]) {
			t.Errorf("%+v is read as %+v", sources[i], *d.sources[i])
		}
	}
	if got := string(Render("", nil, nil)); got != "images: []\n" {
		t.Errorf("nothing is written as %q", got)
	}
	for _, inline := range []string{"a\nb\n", "a\nb", " a\n", "a\n\n", "", "a\n b\n", "a \n", "\"\n", "é\n"} {
		d, err := decodeVector(Render("", nil, &CABundle{Inline: &inline}))
		if err != nil || d.ca == nil || d.ca.Inline == nil || *d.ca.Inline != inline {
			t.Errorf("bundle %q is read as %v, %v", inline, d, err)
		}
	}
}

// JSON distinguishes an empty list, for no architecture, from an absent one, for all.
func TestSourceJSON(t *testing.T) {
	for want, s := range map[string]Source{
		`{"name":"a","architectures":[]}`: {Name: "a", Architectures: []string{}},
		`{"name":"a","ref":""}`:           {Name: "a", Ref: text(""), Position: Position{File: "f", Line: 1}},
	} {
		if got, err := json.Marshal(s); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
