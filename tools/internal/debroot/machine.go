package debroot

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
)

// Tools are the programs that a machine needs to make and enter roots; each is
// also the name of its Debian package, but for bwrap, which is in bubblewrap.
var tools = map[string]string{"mmdebstrap": "mmdebstrap", "bwrap": "bubblewrap"}

// MissingPackages names the Debian packages that this machine lacks.
func MissingPackages() []string {
	var missing []string
	for _, tool := range []string{"mmdebstrap", "bwrap"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tools[tool])
		}
	}
	return missing
}

// checkTools says which programs are missing and how to get them.
func checkTools() error {
	for _, tool := range []string{"apt-get", "apt-config", "dpkg"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("this machine has no %s; Debian roots are made by a Debian machine's own apt", tool)
		}
	}
	if missing := MissingPackages(); missing != nil {
		return fmt.Errorf("missing on this machine: apt-get install --no-install-recommends %s", strings.Join(missing, " "))
	}
	return nil
}

// privilege returns what a command line needs in front so that it may make
// mounts and owns all of a root's files: nothing for root, a user namespace
// for others.
func privilege(ctx context.Context) ([]string, error) {
	if err := checkTools(); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := try(ctx, "bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/", "true"); err != nil {
			return nil, fmt.Errorf("root may not make mounts here (a container without CAP_SYS_ADMIN?): %w", err)
		}
		return nil, nil
	}
	enter := []string{"unshare", "--map-root-user", "--map-auto", "--"}
	probe := append(enter[:len(enter):len(enter)], "bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/", "true")
	if err := try(ctx, probe...); err != nil {
		name := fmt.Sprint(os.Getuid())
		if u, uerr := user.Current(); uerr == nil {
			name = u.Username
		}
		return nil, fmt.Errorf("needs root, or user namespaces with a range of ids of one's own "+
			"(sysctl kernel.unprivileged_userns_clone=1, newuidmap from the package uidmap, lines for %q in /etc/subuid and /etc/subgid): %w",
			name, err)
	}
	return enter, nil
}

// try runs a command only to see whether it can.
func try(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %q: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
