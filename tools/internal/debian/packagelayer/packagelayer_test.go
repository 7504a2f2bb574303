package packagelayer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/debian/debtest"
	"github.com/hyperkube/hyperkube/versions"
)

// fixture is a layer and the files of its packages.
type fixture struct {
	layer versions.PackageLayer
	debs  map[versions.Digest][]byte
}

// newFixture returns the layer of one set, "low".
func newFixture(t *testing.T, packages ...debtest.Package) *fixture {
	f := &fixture{debs: map[versions.Digest][]byte{}}
	f.addSet(t, "low", packages...)
	return f
}

func (f *fixture) addSet(t *testing.T, name string, packages ...debtest.Package) *versions.PackageSet {
	t.Helper()
	set := versions.PackageSet{Name: name}
	for _, p := range packages {
		raw := p.Build(t, ".gz")
		pin := p.Pin(t, name, raw)
		f.debs[pin.SHA256] = raw
		f.layer.Platform = pin.Platform
		set.Packages = append(set.Packages, pin)
	}
	f.layer.Sets = append(f.layer.Sets, set)
	return f.top()
}

// top returns the last set.
func (f *fixture) top() *versions.PackageSet { return &f.layer.Sets[len(f.layer.Sets)-1] }

func (f *fixture) open(_ context.Context, pin versions.PackagePin) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.debs[pin.SHA256])), nil
}

// write returns the tar of the layer.
func (f *fixture) write(t *testing.T) ([]byte, error) {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(t.Context(), &b, f.layer, f.open, versions.Gzip); err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw, nil
}

// list describes the entries of the layer, without the database of dpkg.
func (f *fixture) list(t *testing.T) string {
	t.Helper()
	raw, err := f.write(t)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("header %+v", h)
		}
		if name := strings.TrimSuffix(h.Name, "/"); strings.HasPrefix("var/lib/dpkg", name) || strings.HasPrefix(name, "var/lib/dpkg/") {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%04o %d:%d /%s", h.Mode, h.Uid, h.Gid, h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			fmt.Fprintf(&b, " %q", content)
		case tar.TypeSymlink:
			fmt.Fprintf(&b, " -> %s", h.Linkname)
		case tar.TypeLink:
			fmt.Fprintf(&b, " = %s", h.Linkname)
		}
		b.WriteByte('\n')
	}
}

func (f *fixture) wantList(t *testing.T, want ...string) {
	t.Helper()
	if got := f.list(t); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("got\n%swant\n%s", got, strings.Join(want, "\n"))
	}
}

func pkgOf(name string, files ...debtest.Entry) debtest.Package {
	return debtest.Package{Name: name, Files: files}
}

func TestWrite(t *testing.T) {
	f := newFixture(t,
		pkgOf("b", debtest.Dir("./"), debtest.Dir("./usr/"), debtest.Dir("./usr/bin/"), debtest.Symlink("./usr/bin/z", "a"),
			debtest.Entry{Name: "./usr/bin/su", Content: "su", Mode: 0o4755, GID: 42},
			debtest.Entry{Name: "./usr/bin/s2", Link: "usr/bin/su", Type: tar.TypeLink}),
		pkgOf("a", debtest.Dir("./usr/"), debtest.Dir("./usr/bin/"), debtest.File("./usr/bin/a", "a"), debtest.File("./usr/bin-a", "")),
	)
	f.wantList(t,
		"0777 0:0 /bin -> usr/bin",
		"0755 0:0 /usr/",
		"0755 0:0 /usr/bin/",
		`0644 0:0 /usr/bin-a ""`,
		`0644 0:0 /usr/bin/a "a"`,
		`4755 0:42 /usr/bin/s2 "su"`,
		"4755 0:42 /usr/bin/su = usr/bin/s2",
		"0777 0:0 /usr/bin/z -> a")
}

// The digest depends neither on the number of processors nor on the order in which
// packages are read, and DiffID agrees with Write.
func TestWriteIsDeterministic(t *testing.T) {
	var packages []debtest.Package
	for i := range 20 {
		packages = append(packages, pkgOf(fmt.Sprint("p", i), debtest.Dir("./usr"), debtest.File(fmt.Sprint("./usr/f", i), strings.Repeat("x", i*1000))))
	}
	f := newFixture(t, packages...)
	want, _, err := DiffID(t.Context(), f.layer, f.open)
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		d, err := Write(t.Context(), io.Discard, f.layer, f.open, versions.Gzip)
		runtime.GOMAXPROCS(before)
		if err != nil || d.DiffID != want {
			t.Errorf("%d processors: diffID %s, %v; want %s", procs, d.DiffID, err, want)
		}
		slices.Reverse(f.top().Packages)
	}
}

func TestMergedUsr(t *testing.T) {
	f := newFixture(t,
		pkgOf("old", debtest.Dir("./bin"), debtest.File("./bin/sh", "sh"), debtest.Symlink("./bin/same", "sh"), debtest.Dir("./lib"), debtest.Symlink("./lib/up", "../etc/x")),
		pkgOf("base", debtest.Symlink("./bin", "usr/bin"), debtest.Dir("./usr"), debtest.Dir("./usr/bin")),
	)
	low := []string{
		"0777 0:0 /bin -> usr/bin",
		"0777 0:0 /lib -> usr/lib",
		"0755 0:0 /usr/",
		"0755 0:0 /usr/bin/",
		"0777 0:0 /usr/bin/same -> sh",
		`0644 0:0 /usr/bin/sh "sh"`,
		"0755 0:0 /usr/lib/",
		"0777 0:0 /usr/lib/up -> /etc/x",
	}
	f.wantList(t, low...)
	f.addSet(t, "high", pkgOf("more", debtest.File("./lib64/ld", "ld"), debtest.File("./bin/more", "")))
	f.wantList(t,
		"0777 0:0 /lib64 -> usr/lib64",
		"0755 0:0 /usr/",
		"0755 0:0 /usr/bin/",
		`0644 0:0 /usr/bin/more ""`,
		"0755 0:0 /usr/lib64/",
		`0644 0:0 /usr/lib64/ld "ld"`)
}

func TestExclude(t *testing.T) {
	f := newFixture(t, pkgOf("a",
		debtest.Dir("./usr/share"), debtest.Dir("./usr/share/doc"), debtest.Dir("./usr/share/doc/a"), debtest.Dir("./usr/share/doc/a/examples"),
		debtest.File("./usr/share/doc/a/changelog.gz", "c"), debtest.File("./usr/share/doc/a/copyright", "free"),
		debtest.Dir("./usr/share/man"), debtest.Dir("./usr/share/man/man1"), debtest.File("./usr/share/man/man1/a.1", "a"),
	))
	f.layer.Exclude = []string{"/usr/share/man/**", "/usr/share/doc/**"}
	f.layer.Include = []string{"/usr/share/doc/*/copyright"}
	f.wantList(t,
		"0755 0:0 /usr/",
		"0755 0:0 /usr/share/",
		"0755 0:0 /usr/share/doc/",
		"0755 0:0 /usr/share/doc/a/",
		`0644 0:0 /usr/share/doc/a/copyright "free"`)
}

func TestDeclared(t *testing.T) {
	f := newFixture(t, pkgOf("a",
		debtest.Dir("./usr/share"), debtest.File("./usr/share/2.crt", "two"), debtest.File("./usr/share/1.crt", "one\n"), debtest.File("./usr/share/man", "m")))
	f.layer.Exclude = []string{"/usr/share/*.crt"}
	set := f.top()
	set.Files = []versions.AddedFile{{Path: "/etc/all.crt", From: "/usr/share/*.crt", Content: "own\n", Mode: 0o444}, {Path: "/etc/x", Content: "x", Mode: 0o600}}
	set.Directories = []versions.AddedDir{{Path: "/tmp", Mode: 0o1777}, {Path: "/usr/share", Mode: 0o700, UID: 101, GID: 65534}}
	set.Symlinks = []versions.Symlink{{Path: "/var/run", Target: "/run"}}
	f.wantList(t,
		"0755 0:0 /etc/",
		`0444 0:0 /etc/all.crt "one\ntwo\nown\n"`,
		`0600 0:0 /etc/x "x"`,
		"1777 0:0 /tmp/",
		"0755 0:0 /usr/",
		"0700 101:65534 /usr/share/",
		`0644 0:0 /usr/share/man "m"`,
		"0777 0:0 /var/run -> /run")
	// A directory of a set below keeps its declared mode, and is not repeated without a file.
	f.addSet(t, "high", pkgOf("b", debtest.Dir("./tmp"), debtest.File("./tmp/b", ""), debtest.Dir("./usr"), debtest.Dir("./usr/share")))
	f.wantList(t, "1777 0:0 /tmp/", `0644 0:0 /tmp/b ""`)
}

// A symlink can replace a directory that is excluded and empty.
func TestDeclaredReplaces(t *testing.T) {
	f := newFixture(t, pkgOf("a", debtest.Dir("./var/lock"), debtest.File("./run/a", "")))
	f.layer.Exclude = []string{"/var/lock"}
	f.top().Symlinks = []versions.Symlink{{Path: "/var/lock", Target: "/run/lock"}}
	f.wantList(t, "0755 0:0 /run/", `0644 0:0 /run/a ""`, "0777 0:0 /var/lock -> /run/lock")
	f = newFixture(t, pkgOf("a", debtest.Dir("./var/lock"), debtest.File("./var/lock/a", "")))
	f.layer.Exclude = []string{"/var/lock"}
	f.top().Symlinks = []versions.Symlink{{Path: "/var/lock", Target: "/run/lock"}}
	if _, err := f.write(t); err == nil || !strings.Contains(err.Error(), `/var/lock/a of a: /var/lock of set "low" is not a directory`) {
		t.Errorf("got %v", err)
	}
}

func TestOwners(t *testing.T) {
	for _, owner := range []string{"a", "b"} {
		f := newFixture(t, pkgOf("a", debtest.File("./etc/x", "of a")), pkgOf("b", debtest.File("./etc/x", "of b")))
		f.top().Owners = map[string]string{"/etc/x": owner}
		f.wantList(t, "0755 0:0 /etc/", fmt.Sprintf(`0644 0:0 /etc/x "of %s"`, owner))
	}
}

func TestWriteFails(t *testing.T) {
	one := func(files ...debtest.Entry) *fixture { return newFixture(t, pkgOf("a", files...)) }
	two := func(a, b debtest.Entry) *fixture { return newFixture(t, pkgOf("a", a), pkgOf("b", b)) }
	with := func(f *fixture, change func(*versions.PackageSet)) *fixture {
		change(f.top())
		return f
	}
	x := debtest.File("./etc/x", "same")
	above := one(x)
	above.addSet(t, "high", pkgOf("b", x))
	hidden := one(x, debtest.Entry{Name: "./etc/y", Link: "./etc/x", Type: tar.TypeLink})
	hidden.layer.Exclude = []string{"/etc/x"}
	relative := one(x)
	relative.layer.Include = []string{"etc"}
	corrupt := one(x)
	for d := range corrupt.debs {
		corrupt.debs[d] = []byte("<html>")
	}
	for name, test := range map[string]struct {
		f    *fixture
		want string
	}{
		"no sets":             {&fixture{}, "no sets"},
		"two packages":        {two(x, x), `/etc/x is in package b and in a. Fix: declare in owners whose it is`},
		"another owner":       {with(two(x, x), func(s *versions.PackageSet) { s.Owners = map[string]string{"/etc/x": "c"} }), "/etc/x is in package b and in a"},
		"two sets":            {above, `layer of packages "high" for linux/amd64: /etc/x is in package b and in a`},
		"file and directory":  {two(x, debtest.Dir("./etc/x")), "/etc/x is in package b and in a"},
		"directory modes":     {two(debtest.Dir("./etc"), debtest.Entry{Name: "./etc", Type: tar.TypeDir, Mode: 0o700}), "directory /etc: mode 0700, owner 0:0 of package b differs from mode 0755, owner 0:0 of a"},
		"below a symlink":     {two(debtest.Symlink("./etc", "/tmp"), x), "/etc/x of b: /etc of a is not a directory"},
		"twice a package":     {newFixture(t, pkgOf("a", x), pkgOf("a")), `duplicate package "a"`},
		"hard link":           {hidden, "/etc/y is a hard link to /etc/x, which is excluded"},
		"pattern":             {relative, `include: pattern "etc": want a clean, absolute path`},
		"another file":        {corrupt, "package a 1.0: verifying \"pool/main/a_1.0_amd64.deb\": want sha256"},
		"name":                {with(one(x), func(s *versions.PackageSet) { s.Packages[0].Name = "b" }), `package b 1.0: control file: want Package "b", got "a"`},
		"version":             {with(one(x), func(s *versions.PackageSet) { s.Packages[0].Version = "2" }), `want Version "2", got "1.0"`},
		"declared of package": {with(one(x), func(s *versions.PackageSet) { s.Files = []versions.AddedFile{{Path: "/etc/x"}} }), `/etc/x of set "low" is in a, too`},
		"declared path":       {with(one(x), func(s *versions.PackageSet) { s.Directories = []versions.AddedDir{{Path: "/a/../b"}} }), `path "/a/../b" of set "low": want a clean, absolute path`},
		"declared alias":      {with(one(x), func(s *versions.PackageSet) { s.Symlinks = []versions.Symlink{{Path: "/bin/x", Target: "y"}} }), `path /bin/x of set "low": want /usr/bin/x`},
		"from nothing":        {with(one(x), func(s *versions.PackageSet) { s.Files = []versions.AddedFile{{Path: "/y", From: "/etc/*.crt"}} }), `files "/etc/*.crt": want files of packages with at most 16777216 bytes, got 0 files`},
		"no choice": {with(one(x), func(s *versions.PackageSet) {
			s.Alternatives = []versions.Alternative{{Name: "awk", Choose: "/usr/bin/mawk"}}
		}), `alternative awk: want one of the choices, got "/usr/bin/mawk"`},
		"slave of a choice": {with(one(x), func(s *versions.PackageSet) {
			s.Alternatives = []versions.Alternative{{Name: "awk", Choose: "/a", Choices: []versions.AlternativeChoice{{Path: "/a", Slaves: map[string]string{"nawk": "/b"}}}}}
		}), `alternative awk: choice /a has "nawk", which is not among the slaves`},
		"md5sums":         {newFixture(t, debtest.Package{Name: "a", MD5Sums: "0123  usr/a\n"}), `package a: md5sums: invalid line "0123  usr/a\n"`},
		"field Conffiles": {newFixture(t, debtest.Package{Name: "a", Fields: "Conffiles: x\n"}), "field Conffiles is dpkg's own"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := test.f.write(t); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, io.Discard, one(x).layer, above.open, versions.Gzip); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}
