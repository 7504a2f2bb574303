//go:build !linux

package debian

import "errors"

// Exec returns an error: mount namespaces exist only on Linux.
func (r *Root) Exec(_, _ []string, _ string, _ []Bind) error {
	return errors.New("entering a Debian root: only Linux has mount namespaces")
}
