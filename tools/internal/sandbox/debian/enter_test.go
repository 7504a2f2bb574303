package debian

import (
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
		"an open one": {
			Run{Args: []string{"git"}, Network: true},
			"bwrap --ro-bind /root / --cap-drop ALL --cap-add CAP_DAC_OVERRIDE --cap-add CAP_FOWNER --cap-add CAP_CHOWN " +
				"--die-with-parent --unshare-pid --unshare-ipc --unshare-uts --hostname debroot --dev /dev --proc /proc " +
				`--tmpfs /run --tmpfs /tmp --chdir / --clearenv -- /bin/sh -c umask 022; exec "$@" sh git`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(bwrap("/root", test.run), " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
