package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hyperkube/hyperkube/images/iptableswrapper/internal/alternatives"
	"github.com/hyperkube/hyperkube/images/iptableswrapper/internal/backend"
)

// names are the names that the program is called by.
var names = []string{
	"iptables", "iptables-restore", "iptables-save",
	"ip6tables", "ip6tables-restore", "ip6tables-save",
}

// run replaces this process by the program of the name args[0] in the backend that is
// in use. It returns only on failure.
func run(args, env []string) error {
	name := filepath.Base(args[0])
	if !slices.Contains(names, name) {
		return fmt.Errorf("called as %q, want %s. Fix: call it through the links of update-alternatives",
			name, strings.Join(names, ", "))
	}
	b := backend.Detect(backend.Save)
	// With a read-only root, every call detects the backend again.
	if err := choose(b); err != nil && !errors.Is(err, syscall.EROFS) && !errors.Is(err, fs.ErrPermission) {
		fmt.Fprintf(os.Stderr, "iptables-wrapper: selecting backend %q for later calls: %v\n", b, err)
	}
	args = append([]string{name}, args[1:]...)
	return fmt.Errorf("executing %q: %w", b.Program(), syscall.Exec(b.Program(), args, env))
}

// choose points the links of both IP versions to a backend.
func choose(b backend.Backend) error {
	for _, name := range []string{"iptables", "ip6tables"} {
		if err := alternatives.Set("/", name, "/usr/sbin/"+name+"-"+string(b)); err != nil {
			return err
		}
	}
	return nil
}
