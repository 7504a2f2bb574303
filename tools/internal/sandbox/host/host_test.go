package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

func TestSystemArgs(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/bin", "usr/lib", "usr/local/bin", "lib64", "home/me"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("usr/bin", filepath.Join(root, "bin")); err != nil {
		t.Fatal(err)
	}
	args, err := systemArgs(root)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(strings.Join(args, " "), root, "ROOT")
	const want = "--hostname host --tmpfs / " +
		"--symlink usr/bin /bin --ro-bind ROOT/lib64 /lib64 --ro-bind ROOT/usr/bin /usr/bin --ro-bind ROOT/usr/lib /usr/lib"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestInside checks with the real bwrap what a program sees.
func TestInside(t *testing.T) {
	root, err := New(t.Context())
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("read"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "of the machine")
	tests := []struct{ name, script, want string }{
		{"environment", "env | grep -v -e ^PWD= -e ^_= | sort", "A=b c\nPATH=/usr/bin:/bin\n"},
		{"umask", "umask", "0022\n"},
		{"directory", "pwd; cat in", "/in/side\nread"},
		{"no home", "ls -A /root /home 2>/dev/null | wc -l", "0\n"},
		{"no /usr/local", "ls -A /usr/local 2>/dev/null | wc -l", "0\n"},
		{"few capabilities", "grep CapEff /proc/self/status", "CapEff:\t000000000000000b\n"},
		{"no network", "cat /proc/net/route | grep -vc Iface; ls /sys 2>/dev/null | wc -l", "0\n0\n"},
		{"read-only system", "touch /usr/bin/x 2>/dev/null || echo no", "no\n"},
		{"read-only bind", "touch /in/side/x 2>/dev/null || echo no", "no\n"},
		{"own bind", "echo written > /out/x && cat /out/x", "written\n"},
		{"own processes", "ls -d /proc/[0-9]* | wc -l | awk '{ print ($1 < 10) }'", "1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := root.Command(t.Context(), debian.Run{
				Args: []string{"/bin/sh", "-c", test.script}, Env: []string{"PATH=/usr/bin:/bin", "A=b c"}, Dir: "/in/side",
				Binds: []debian.Bind{{Src: dir, Dst: "/in/side", ReadOnly: true}, {Src: t.TempDir(), Dst: "/out"}},
			}).Output()
			if string(out) != test.want {
				t.Errorf("got %q (error %v), want %q", out, err, test.want)
			}
		})
	}
}
