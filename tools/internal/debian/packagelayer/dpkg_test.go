package packagelayer

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
	"github.com/hyperkube/hyperkube/versions"
)

// unpack writes the layer to a directory.
func (f *fixture) unpack(t *testing.T, root string) {
	t.Helper()
	raw, err := f.write(t)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(root, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, name)
		default:
			content, err1 := io.ReadAll(r)
			err = errors.Join(err1, os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, content, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func layers(t *testing.T) (low, high *fixture) {
	tool := debtest.Package{
		Name: "tool", Conffiles: "/etc/tool\nremove-on-upgrade /etc/gone\n", Fields: "Maintainer: me <me@example.org>\n",
		Files: []debtest.Entry{
			debtest.Dir("./"), debtest.Dir("./etc"), debtest.File("./etc/tool", "conf"), debtest.Dir("./bin"), debtest.File("./bin/tool", "t"),
			debtest.Dir("./usr"), debtest.Dir("./usr/share"), debtest.File("./usr/share/doc", "d"), debtest.File("./usr/share/both", "1"),
		},
	}
	lib := debtest.Package{
		Name: "lib", Fields: "Multi-Arch: same\nMaintainer: me <me@example.org>\n",
		Files: []debtest.Entry{debtest.File("./usr/share/both", "2"), debtest.File("./usr/share/lib", "l")},
	}
	more := debtest.Package{Name: "more", Fields: "Maintainer: me <me@example.org>\n", Files: []debtest.Entry{debtest.File("./usr/more", "m")}}
	low = newFixture(t, tool, lib)
	low.layer.Exclude = []string{"/usr/share/doc"}
	low.top().Owners = map[string]string{"/usr/share/both": "lib"}
	low.top().Alternatives = []versions.Alternative{alternative}
	top := low.layer.Sets[0]
	high = &fixture{layer: low.layer, debs: low.debs}
	high.layer.Sets = []versions.PackageSet{top}
	high.addSet(t, "high", more)
	return low, high
}

var alternative = versions.Alternative{
	Name: "t", Link: "/usr/bin/t", Choose: "/usr/bin/t-low",
	Slaves: []versions.AlternativeSlave{{Name: "t2", Link: "/usr/bin/t2"}, {Name: "t1", Link: "/usr/bin/t1"}},
	Choices: []versions.AlternativeChoice{
		{Path: "/usr/bin/t-low", Priority: 10, Slaves: map[string]string{"t1": "/usr/bin/t1-low"}},
		{Path: "/usr/bin/t-high", Priority: 20, Slaves: map[string]string{"t1": "/usr/bin/t1-high", "t2": "/usr/bin/t2-high"}},
	},
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// The real dpkg reads the database.
func TestDatabase(t *testing.T) {
	low, high := layers(t)
	root := t.TempDir()
	low.unpack(t, root)
	admin := "--admindir=" + filepath.Join(root, "var/lib/dpkg")
	query := func(args ...string) string { return run(t, "dpkg-query", append([]string{admin}, args...)...) }
	if got, want := query("-W", "-f", "${binary:Package} ${Version} ${db:Status-Status}${Conffiles}\n"), "lib:amd64 1.0 installed\ntool 1.0 installed /etc/tool 3a8e4c06e471595f6eb262bb9b5582d9\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := query("-L", "tool"), "/.\n/etc\n/etc/tool\n/usr/bin\n/usr/bin/tool\n/usr\n/usr/share\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := query("-S", "/usr/share/both"); got != "lib:amd64: /usr/share/both\n" {
		t.Errorf("got %q", got)
	}
	sums, err := os.ReadFile(filepath.Join(root, dpkgInfo, "tool.md5sums"))
	if want := "3a8e4c06e471595f6eb262bb9b5582d9  etc/tool\ne358efa489f58062f10dd7316b65649e  usr/bin/tool\n"; err != nil || string(sums) != want {
		t.Errorf("got\n%s%v; want\n%s", sums, err, want)
	}
	for _, option := range []string{"--verify", "--audit"} {
		if got := run(t, "dpkg", "--root="+root, admin, option); got != "" {
			t.Errorf("%s: got %q", option, got)
		}
	}
	// Without the file that it lists, dpkg --verify fails.
	if err := os.Remove(filepath.Join(root, "usr/share/lib")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("dpkg", "--root="+root, admin, "--verify").CombinedOutput(); !strings.Contains(string(out), "/usr/share/lib") {
		t.Errorf("a missing file: got %q, %v", out, err)
	}
	// The status of a set includes those below, its lists do not.
	high.unpack(t, root)
	if got, want := query("-W", "-f", "${Package} "), "lib more tool "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := query("-L", "more"), "/.\n/usr/more\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The real update-alternatives reads and changes the database, and writes the same.
func TestAlternatives(t *testing.T) {
	low, _ := layers(t)
	root := t.TempDir()
	low.unpack(t, root)
	file := filepath.Join(root, alternativeDatabase, "t")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "manual\n/usr/bin/t\nt1\n/usr/bin/t1\nt2\n/usr/bin/t2\n\n" +
		"/usr/bin/t-high\n20\n/usr/bin/t1-high\n/usr/bin/t2-high\n/usr/bin/t-low\n10\n/usr/bin/t1-low\n\n\n"
	if string(before) != want {
		t.Errorf("got\n%swant\n%s", before, want)
	}
	for link, want := range map[string]string{"usr/bin/t": "/etc/alternatives/t", "usr/bin/t1": "/etc/alternatives/t1", "etc/alternatives/t": "/usr/bin/t-low", "etc/alternatives/t1": "/usr/bin/t1-low"} {
		if got, err := os.Readlink(filepath.Join(root, link)); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", link, got, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(root, "usr/bin/t2")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a slave without a target has a link: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/t-high"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/t-low"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	update := func(args ...string) string {
		return run(t, "update-alternatives", append([]string{"--root", root, "--log", filepath.Join(root, "log")}, args...)...)
	}
	if got := update("--query", "t"); !strings.Contains(got, "Status: manual\nBest: /usr/bin/t-high\nValue: /usr/bin/t-low\n") || !strings.Contains(got, "Alternative: /usr/bin/t-low\nPriority: 10\nSlaves:\n t1 /usr/bin/t1-low\n") {
		t.Errorf("got\n%s", got)
	}
	update("--set", "t", "/usr/bin/t-high")
	if got, err := os.Readlink(filepath.Join(root, "etc/alternatives/t")); err != nil || got != "/usr/bin/t-high" {
		t.Errorf("got %s, %v", got, err)
	}
	update("--set", "t", "/usr/bin/t-low")
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("update-alternatives wrote\n%s%v; want\n%s", after, err, before)
	}
}
