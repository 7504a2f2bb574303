package imagevector

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestMerge(t *testing.T) {
	a := Source{Name: "a", Repository: text("r/a"), Tag: text("1"), Version: text("1"), TargetVersion: text(">= 1.21"), Architectures: []string{amd64, arm64}}
	key := func(change func(*Source)) Source {
		s := Source{Name: a.Name, TargetVersion: a.TargetVersion, Architectures: a.Architectures}
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name string
		over Source
		want string // the images, separated by spaces
	}{
		{"repository", key(func(s *Source) { s.Repository = text("r/b") }), "r/b:1@1"},
		{"tag", key(func(s *Source) { s.Tag = text("2") }), "r/a:2@1"},
		{"tag and version", key(func(s *Source) { s.Tag, s.Version = text("2"), text("2") }), "r/a:2@2"},
		{"ref clears repository and tag", key(func(s *Source) { s.Ref = text("r/c:3") }), "r/c:3@1"},
		{"other name", Source{Name: "b", Repository: text("r/b")}, "r/a:1@1 r/b@"},
		{"other text of the constraint", key(func(s *Source) { s.Repository, s.TargetVersion = text("r/b"), text(">=1.21") }), "r/a:1@1 r/b@"},
		{"constraint on the other version", key(func(s *Source) { s.Repository, s.TargetVersion, s.RuntimeVersion = text("r/b"), nil, a.TargetVersion }), "r/a:1@1 r/b@"},
		{"other order of architectures", key(func(s *Source) { s.Repository, s.Architectures = text("r/b"), []string{arm64, amd64} }), "r/a:1@1 r/b@"},
		{"no architectures", key(func(s *Source) { s.Repository, s.Architectures = text("r/b"), nil }), "r/a:1@1 r/b@"},
		{"architectures that join to the same text", key(func(s *Source) { s.Repository, s.Architectures = text("r/b"), []string{"amd64arm64"} }), "r/b:1@1"},
	} {
		var got []string
		for _, s := range Merge([]Source{a}, []Source{tt.over}) {
			version := ""
			if s.Version != nil {
				version = *s.Version
			}
			got = append(got, s.ToImage(nil).String()+"@"+version)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
	}
	ref := Source{Name: "a", Ref: text("r/a:1")}
	if got := Merge([]Source{ref}, []Source{{Name: "a", Repository: text("r/b"), Tag: text("2")}}); len(got) != 1 || got[0].Ref != nil || got[0].ToImage(nil).String() != "r/b:2" {
		t.Errorf("a repository over a ref: %+v", got)
	}
	if got := Merge([]Source{ref}, []Source{{Name: "a", Version: text("2")}}); got[0].ToImage(nil).String() != "r/a:1" {
		t.Errorf("a version over a ref: %+v", got)
	}
	// The version becomes the old tag, as in Gardener.
	if got := Merge([]Source{{Name: "a", Repository: text("r"), Tag: text("1")}}, []Source{{Name: "a", Tag: text("2")}}); *got[0].Version != "1" {
		t.Errorf("a tag over an entry without version: %q", *got[0].Version)
	}
	if got := Merge([]Source{a, {Name: "a", Repository: text("r/x"), TargetVersion: a.TargetVersion, Architectures: a.Architectures}}); len(got) != 1 {
		t.Errorf("two entries with one key in one list: %+v", got)
	}
}

func TestOverwriteCopies(t *testing.T) {
	base := vectorOf(t, []Source{{Name: "a", Repository: text("r/a")}})
	over := vectorOf(t, []Source{{Name: "a", Repository: text("r/b")}, {Name: "c", Repository: text("r/c")}})
	merged := base.Overwrite(over)
	for v, want := range map[*Vector]string{base: "r/a", over: "r/b", merged: "r/b"} {
		if image, err := v.Find("a"); err != nil || image.String() != want {
			t.Errorf("got %v, %v, want %s", image, err, want)
		}
	}
	if merged.Len() != 2 || base.Len() != 1 {
		t.Errorf("%d entries, and %d in the vector", merged.Len(), base.Len())
	}
	sources := merged.Sources()
	*sources[0].Repository = "changed"
	if image, _ := merged.Find("a"); image.String() != "r/b" {
		t.Error("writing to a copy changed the vector")
	}
}

func TestNewCopies(t *testing.T) {
	sources := []Source{{Name: "a", Repository: text("r/a"), Architectures: []string{amd64}}}
	v := vectorOf(t, sources)
	*sources[0].Repository, sources[0].Architectures[0] = "changed", arm64
	if image, err := v.Find("a"); err != nil || image.String() != "r/a" {
		t.Errorf("a change of the sources changed the vector: %v, %v", image, err)
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	env := map[string]string{}
	getenv := func(name string) string { return env[name] }
	base, err := New([]Source{{Name: "a", Repository: text("r/a")}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := base.OverwriteFromEnv(getenv, OverwriteEnv); err != nil || v != base {
		t.Errorf("without the variable: %v, %v", v, err)
	}
	env[OverwriteEnv] = write("images.yaml", "images: [{name: a, repository: r/b}]")
	components := write("components.yaml", "components: [{name: druid, imageVectorOverwrite: 'images: [{name: etcd, repository: r/etcd}]'}]")
	v, err := base.OverwriteFromEnv(getenv, OverwriteEnv)
	if err != nil {
		t.Fatal(err)
	}
	if image, err := v.Find("a"); err != nil || image.String() != "r/b" {
		t.Errorf("overwritten: %v, %v", image, err)
	}
	c, err := ReadComponentsFile(components)
	if err != nil {
		t.Fatal(err)
	}
	if druid, ok := c.Get("druid"); !ok || druid.Vector.Len() != 1 {
		t.Errorf("component druid: %+v, %v", druid, ok)
	}
	if _, ok := c.Get("none"); ok {
		t.Error("a component that is not there was found")
	}
	env[OverwriteEnv] = write("wrong.yaml", "images: [{name: a}]")
	if _, err := base.OverwriteFromEnv(getenv, OverwriteEnv); err == nil || !strings.Contains(err.Error(), "overwriting images from $IMAGEVECTOR_OVERWRITE") || !strings.Contains(err.Error(), "wrong.yaml:1:10: images[0].repository") {
		t.Errorf("a wrong file: %v", err)
	}
	// An overwrite has the generation of its vector.
	env[OverwriteEnv] = write("oldest.yaml", "images: [{name: a, repository: r/b, version: '>= 1.21'}]")
	if _, err := base.OverwriteFromEnv(getenv, OverwriteEnv); err == nil || !strings.Contains(err.Error(), `">= 1.21" is a constraint, but`) {
		t.Errorf("an overwrite of another generation: %v", err)
	}
	old, err := Parse([]byte("images: [{name: a, repository: r/a, version: '>= 1.21'}]"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := old.OverwriteFromEnv(getenv, OverwriteEnv); err != nil || v.Len() != 1 {
		t.Errorf("an overwrite of the same generation: %v, %v", v, err)
	}
	env[OverwriteEnv] = filepath.Join(dir, "none")
	if _, err := vectorOf(t, nil).OverwriteFromEnv(getenv, OverwriteEnv); err == nil || err.Error() != "open "+env[OverwriteEnv]+": no such file or directory" {
		t.Errorf("a file that is not there, compatibly: %v", err)
	}
	if _, err := ReadComponentsFile(filepath.Join(dir, "none")); err == nil || !strings.HasPrefix(err.Error(), "reading component overwrites") {
		t.Errorf("components in a file that is not there: %v", err)
	}
}

func TestRewrite(t *testing.T) {
	v, err := Parse([]byte(`
images:
- name: pause
  repository: registry.k8s.io/pause
  tag: "3.10"
- name: hub
  repository: etcd/etcd
  tag: v1
- name: short
  repository: nginx
- name: versioned
  repository: registry.k8s.io/autoscaling/ca
  targetVersion: ">= 1.30"
  architectures: [arm64, amd64]
- name: ref
  ref: quay.io:443/x/y:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
- name: other
  repository: example.com/other
`))
	if err != nil {
		t.Fatal(err)
	}
	rules := Rules{}
	for _, rule := range []string{"registry.k8s.io=m.example.com/k8s", "registry.k8s.io/autoscaling=m.example.com/as/", "docker.io=m.example.com/hub", "quay.io:443=m.example.com/quay"} {
		r, err := ParseRule(rule)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	over, left := v.Rewrite(rules)
	if len(left) != 1 || left[0].Name != "other" {
		t.Errorf("left are %+v", left)
	}
	o, err := New(over, AsOverwrite())
	if err != nil {
		t.Fatal(err)
	}
	merged := v.Overwrite(o)
	if merged.Len() != v.Len() {
		t.Fatalf("%d entries, want %d: an entry was added, not merged", merged.Len(), v.Len())
	}
	for name, want := range map[string]string{
		"pause": "m.example.com/k8s/pause:3.10", "hub": "m.example.com/hub/etcd/etcd:v1", "short": "m.example.com/hub/library/nginx:v1.30.2",
		"versioned": "m.example.com/as/ca:v1.30.2", "other": "example.com/other:v1.30.2",
		"ref": "m.example.com/quay/x/y:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	} {
		if image, err := merged.Find(name, RuntimeVersion("1.30.2"), TargetVersion("1.30.2")); err != nil || image.String() != want {
			t.Errorf("%s: got %v, %v, want %s", name, image, err, want)
		}
	}
	// An entry that is never chosen needs no overwrite.
	dead := vectorOf(t, []Source{{Name: "a", Repository: text("quay.io/a"), TargetVersion: text(">= 1.20")}, {Name: "a", Repository: text("quay.io/b"), TargetVersion: text(">= 1.30")}})
	if over, left := dead.Rewrite(Rules{{"quay.io", "m.example.com"}}); len(over) != 1 || len(left) != 0 || *over[0].TargetVersion != ">= 1.20" {
		t.Errorf("overwritten are %+v, left %+v", over, left)
	}
	// Nor does an image that the rule does not change.
	if over, left := v.Rewrite(Rules{{"example.com", "example.com"}, {"*", "m.example.com"}}); len(over) != v.Len()-1 || len(left) != 0 {
		t.Errorf("overwritten are %d of %d, left %+v", len(over), v.Len(), left)
	}
	all := Rules{{"*", "m.example.com"}, {"example.com", "n.example.com"}}
	for image, want := range map[string]string{
		"quay.io:443/x/y@sha256:12": "m.example.com/quay.io_443/x/y@sha256:12", "nginx:1": "m.example.com/docker.io/library/nginx:1", "example.com/a": "n.example.com/a", "example.com.evil/a": "m.example.com/example.com.evil/a",
	} {
		if got, ok := all.Apply(image); !ok || got != want {
			t.Errorf("%s: got %s, %v, want %s", image, got, ok, want)
		}
	}
	if got, ok := (Rules{{"registry.k8s.io/pau", "x.example.com"}}).Apply("registry.k8s.io/pause"); ok {
		t.Errorf("half a path was taken for a prefix: %s", got)
	}
	for image, want := range map[string]string{"index.docker.io/library/nginx:1": "h.example.com/library/nginx:1", "registry-1.docker.io/a/b": "h.example.com/a/b"} {
		if got, ok := (Rules{{"docker.io", "h.example.com"}}).Apply(image); !ok || got != want {
			t.Errorf("%s: got %s, %v, want %s", image, got, ok, want)
		}
	}
	some := Rules{{"quay.io", "a.example.com"}, {"quay.io/x", "b.example.com"}, {"qauy.io", "c.example.com"}, {"*", "d.example.com"}}
	if got := some.Unused([]string{"quay.io/x/y:1"}); !reflect.DeepEqual(got, []Rule{{"qauy.io", "c.example.com"}}) {
		t.Errorf("unused are %v", got)
	}
	for _, wrong := range []string{"", "a", "a=", "=b", "https://a=b.example.com", "a.example.com=b c", "*=UPPER/x/Y", "grafana=b.example.com", "grafana/x=b.example.com"} {
		if r, err := ParseRule(wrong); err == nil {
			t.Errorf("rule %q was read as %+v", wrong, r)
		}
	}
}

// An overwrite is of the generation of the vector, and its entries keep their keys.
func TestRewriteOldest(t *testing.T) {
	data := []byte("images:\n- {name: a, repository: quay.io/a, version: '>= 1.21'}\n- {name: b, repository: quay.io/b, runtimeVersion: '>= 1.21', targetVersion: '>= 1.20'}\n- {name: c, repository: quay.io/c, targetVersion: '>= 1.20'}\n")
	v, err := Parse(data, WithGeneration(Oldest))
	if err != nil {
		t.Fatal(err)
	}
	over, left := v.Rewrite(Rules{{"quay.io", "m.example.com"}})
	if len(over) != 3 || len(left) != 0 || over[0].Version == nil || over[0].RuntimeVersion != nil {
		t.Fatalf("overwritten are %+v, left %+v", over, left)
	}
	o, err := Parse(Render("", over, nil), AsOverwrite(), WithGeneration(v.Generation()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Overwrite(o).Sources() {
		if !strings.HasPrefix(*s.Repository, "m.example.com/") {
			t.Errorf("%s is still at %s", s.Name, *s.Repository)
		}
	}
}
