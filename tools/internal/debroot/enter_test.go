package debroot

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBwrap(t *testing.T) {
	for name, test := range map[string]struct {
		run  Run
		want string
	}{
		"a closed build": {
			Run{Args: []string{"go", "build"}, Env: []string{"A=1", "B=x=y", "C"}, Dir: "/src", Binds: []Bind{{"/here", "/src", false}, {"/go", "/usr/local/go", true}}},
			"bwrap --ro-bind /root / --cap-drop ALL --cap-add CAP_DAC_OVERRIDE --cap-add CAP_FOWNER --cap-add CAP_CHOWN " +
				"--die-with-parent --unshare-pid --unshare-ipc --unshare-uts --hostname debroot --dev /dev --proc /proc " +
				"--tmpfs /run --tmpfs /tmp --bind /here /src --ro-bind /go /usr/local/go --unshare-net --chdir /src " +
				`--clearenv --setenv A 1 --setenv B x=y --setenv C  -- /bin/sh -c umask 022; exec "$@" sh go build`,
		},
		"a door to the machine": {
			Run{Args: []string{"bazel"}, Network: true, Host: true},
			"bwrap --ro-bind /root / --cap-add ALL --dev-bind /dev /dev --bind /proc /proc --bind /sys /sys " +
				`--tmpfs /run --tmpfs /tmp --chdir / --clearenv -- /bin/sh -c umask 022; exec "$@" sh bazel`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(bwrap("/root", test.run), " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMakeMountPoints(t *testing.T) {
	dir := t.TempDir()
	r := &Root{dir: dir}
	if err := os.MkdirAll(filepath.Join(r.Dir(), "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	folder, file := t.TempDir(), filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run := Run{Binds: []Bind{
		{folder, "/work", false},
		{folder, "/work/inside", false}, // its place is in folder, not in the root
		{file, "/etc/resolv.conf", true},
		{folder, "/usr/local/go", true},
		{folder, "/tmp/x", false},
	}}
	for range 2 {
		if err := r.makeMountPoints(run); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	err := fs.WalkDir(os.DirFS(r.Dir()), ".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			path += "/"
		}
		got = append(got, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"./", "etc/", "etc/resolv.conf", "usr/", "usr/local/", "usr/local/go/", "work/"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []Bind{{folder, "relative", false}, {"relative", "/x", false}, {filepath.Join(folder, "missing"), "/x", false}} {
		if err := r.makeMountPoints(Run{Binds: []Bind{bad}}); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

func TestMountPointsStayInTheRoot(t *testing.T) {
	r := &Root{dir: t.TempDir()}
	outside := t.TempDir()
	if err := os.Mkdir(r.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(r.Dir(), "link")); err != nil {
		t.Fatal(err)
	}
	if err := r.makeMountPoints(Run{Binds: []Bind{{outside, "/link/made", false}}}); err == nil {
		t.Error("made a mount point through a link out of the root")
	}
	if exists(filepath.Join(outside, "made")) {
		t.Error("something was made outside the root")
	}
}
