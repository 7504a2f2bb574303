package apt

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// Request is a set of packages to solve.
type Request struct {
	Names []string // of packages that must be installed
	// Fixed are packages that must be installed in exactly these versions.
	Fixed []versions.PackagePin
	// Preferred are packages whose versions are used if they are installed and
	// the indexes have them.
	Preferred []versions.PackagePin
}

// Solve returns the packages that apt-get would install on an empty system, by name,
// without a set.
func (x *Index) Solve(ctx context.Context, p versions.Platform, r Request) ([]versions.PackagePin, error) {
	pins, err := x.solve(ctx, p, r)
	if err != nil {
		return nil, fmt.Errorf("solving packages of %s for %s: %w", x.config.Suite, p, err)
	}
	return pins, nil
}

func (x *Index) solve(ctx context.Context, p versions.Platform, r Request) ([]versions.PackagePin, error) {
	var preferences strings.Builder
	for _, pin := range r.Preferred {
		fmt.Fprintf(&preferences, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", pin.Name, pin.Version)
	}
	if err := os.WriteFile(filepath.Join(x.dir, "etc", "preferences"), []byte(preferences.String()), 0o644); err != nil {
		return nil, err
	}
	args := []string{"install", "--print-uris", "--yes", "--no-remove", "--"}
	for _, pin := range r.Fixed {
		args = append(args, pin.Name+"="+pin.Version)
	}
	for _, name := range r.Names {
		if !slices.ContainsFunc(r.Fixed, func(pin versions.PackagePin) bool { return pin.Name == name }) {
			args = append(args, name)
		}
	}
	out, err := x.run(ctx, p.Arch(), "apt-get", args...)
	if err != nil {
		return nil, err
	}
	var pins []versions.PackagePin
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "'") {
			continue
		}
		pin, err := x.parseURI(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("parsing %q of apt-get: %w", strings.TrimSpace(line), err)
		}
		pin.Platform = p
		pins = append(pins, pin)
	}
	slices.SortFunc(pins, func(a, b versions.PackagePin) int { return cmp.Compare(a.Name, b.Name) })
	for _, name := range r.Names {
		if !slices.ContainsFunc(pins, func(pin versions.PackagePin) bool { return pin.Name == name }) {
			return nil, fmt.Errorf("no package has the name %q: want the name of a package, not of what several packages provide", name)
		}
	}
	return pins, nil
}

// parseURI parses a line of apt-get install --print-uris: 'URI' NAME_VERSION_ARCH.deb
// SIZE SHA256:DIGEST. These are from the verified index.
func (x *Index) parseURI(line string) (pin versions.PackagePin, err error) {
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return pin, fmt.Errorf("want 4 fields, got %d", len(fields))
	}
	uri, err := url.PathUnescape(strings.Trim(fields[0], "'"))
	if err != nil {
		return pin, err
	}
	// The URI of one archive may be the beginning of the other's.
	for archive, base := range map[string]string{versions.Archive: x.config.Mirror.Archive.URI, versions.SecurityArchive: x.config.Mirror.Security.URI} {
		if path, ok := strings.CutPrefix(uri, strings.TrimSuffix(base, "/")+"/"); ok && strings.HasPrefix(path, "pool/") {
			pin.Archive, pin.Path = archive, path
		}
	}
	if pin.Path == "" {
		return pin, fmt.Errorf("want a path pool/… in an archive")
	}
	file, err := url.PathUnescape(strings.TrimSuffix(fields[1], ".deb"))
	if err != nil {
		return pin, err
	}
	parts := strings.Split(file, "_")
	if len(parts) != 3 {
		return pin, fmt.Errorf("want NAME_VERSION_ARCHITECTURE.deb, got %q", fields[1])
	}
	pin.Name, pin.Version, pin.Architecture = parts[0], parts[1], parts[2]
	if pin.Size, err = strconv.ParseInt(fields[2], 10, 64); err != nil {
		return pin, err
	}
	sum, ok := strings.CutPrefix(fields[3], "SHA256:")
	if !ok {
		return pin, fmt.Errorf("want a sha256")
	}
	pin.SHA256, err = versions.ParseDigest(sum)
	return pin, err
}
