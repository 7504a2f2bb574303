package debian

import (
	"strings"
	"testing"
)

func TestBwrap(t *testing.T) {
	const common = "bwrap --ro-bind /root / --hostname debian --cap-drop ALL --cap-add CAP_DAC_OVERRIDE --cap-add CAP_FOWNER --cap-add CAP_CHOWN " +
		"--die-with-parent --unshare-pid --unshare-ipc --unshare-uts --dev /dev --proc /proc --tmpfs /run --tmpfs /tmp "
	for name, test := range map[string]struct {
		run  Run
		want string
	}{
		"all fields": {
			Run{Args: []string{"go", "build"}, Env: []string{"A=1", "B=x=y", "C"}, Dir: "/src", Binds: []Bind{{"/here", "/src", false}, {"/go", "/usr/local/go", true}}},
			"--bind /here /src --ro-bind /go /usr/local/go --unshare-net --chdir /src " +
				`--clearenv --setenv A 1 --setenv B x=y --setenv C  -- /bin/sh -c umask 022; exec "$@" sh go build`,
		},
		"arguments only": {
			Run{Args: []string{"git"}},
			`--unshare-net --chdir / --clearenv -- /bin/sh -c umask 022; exec "$@" sh git`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := strings.Join(bwrap("/root", test.run), " "), common+test.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
