package pin

import (
	"fmt"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/debian/apt"
	"github.com/hyperkube/hyperkube/versions"
	"pault.ag/go/debian/version"
)

// outdated compares a pin with the versions of its package in the indexes.
func outdated(pin versions.PackagePin, available []apt.Available) ([]string, error) {
	pinned, err := version.Parse(pin.Version)
	if err != nil {
		return nil, fmt.Errorf("reading pin %s: %w", pin.Key(), err)
	}
	newest, text, security := pinned, "", false
	for _, a := range available {
		v, err := version.Parse(a.Version)
		if err != nil {
			return nil, fmt.Errorf("reading the index: package %s: %w", pin.Name, err)
		}
		if version.Compare(v, pinned) > 0 && a.Archive == versions.SecurityArchive {
			security = true
		}
		if version.Compare(v, newest) > 0 {
			newest, text = v, a.Version
		}
	}
	var lines []string
	if text != "" {
		line := fmt.Sprintf("%s %s: newer version %s", pin.Key(), pin.Version, text)
		if security {
			line += ", with a security update"
		}
		lines = append(lines, line)
	}
	if !slices.ContainsFunc(available, func(a apt.Available) bool { return a.Archive == pin.Archive && a.Path == pin.Path }) {
		lines = append(lines, fmt.Sprintf("%s %s: the index no longer has %s of %s", pin.Key(), pin.Version, pin.Path, pin.Archive))
	}
	return lines, nil
}
