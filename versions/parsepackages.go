package versions

import (
	"fmt"
	"path"
	"slices"
)

// Archives are the names of Debian's archives in the lock and on snapshot.debian.org.
const (
	Archive         = "debian"
	SecurityArchive = "debian-security"
)

var (
	parseArchiveName  = matching(`^(debian|debian-security)$`, "an archive: want debian or debian-security")
	parsePoolPath     = matching(`^pool(/[A-Za-z0-9][A-Za-z0-9.+~_-]*)+\.deb$`, "the path of a .deb in a pool")
	parseSnapshotTime = matching(`^20[0-9]{6}T[0-9]{6}Z$`, "the time of a snapshot like 20261128T000000Z")
)

// pkg reads a Debian package of the lock.
func (p *lockParser) pkg(at string, raw map[string]string, size int64) {
	before := len(p.errs)
	fail := func(field string, err error) { p.fail(at, field, err) }
	pin := PackagePin{Size: size}
	var err error
	pin.Set, err = parseName(raw["set"])
	fail("set", err)
	pin.Platform, err = ParsePlatform(raw["platform"])
	fail("platform", err)
	pin.Name, err = parsePackageName(raw["name"])
	fail("name", err)
	pin.Version, err = parsePackageVersion(raw["version"])
	fail("version", err)
	if pin.Architecture = raw["architecture"]; pin.Architecture != "all" && pin.Architecture != pin.Platform.Arch() {
		fail("architecture", fmt.Errorf("%q is not an architecture of %s: want %s or all", pin.Architecture, pin.Platform, pin.Platform.Arch()))
	}
	pin.Archive, err = parseArchiveName(raw["archive"])
	fail("archive", err)
	if pin.Path, err = parsePoolPath(raw["path"]); err == nil && path.Clean(pin.Path) != pin.Path {
		err = fmt.Errorf("%q is not clean", pin.Path)
	}
	fail("path", err)
	pin.SHA256, err = ParseDigest(raw["sha256"])
	fail("sha256", err)
	if size <= 0 {
		fail("size", fmt.Errorf("want the size in bytes, got %d", size))
	}
	if len(p.errs) > before {
		return
	}
	i, dup := slices.BinarySearchFunc(p.lock.packages, pin, PackagePin.Compare)
	if dup {
		fail("name", fmt.Errorf("duplicate pin %s", pin.Key()))
		return
	}
	p.lock.packages = slices.Insert(p.lock.packages, i, pin)
}

// snapshot reads a snapshot of the lock.
func (p *lockParser) snapshot(at string, raw map[string]string, _ int64) {
	before := len(p.errs)
	var s Snapshot
	var err error
	s.Suite, err = parseCodename(raw["suite"])
	p.fail(at, "suite", err)
	s.Archive, err = parseArchiveName(raw["archive"])
	p.fail(at, "archive", err)
	s.Time, err = parseSnapshotTime(raw["time"])
	p.fail(at, "time", err)
	if len(p.errs) > before {
		return
	}
	for _, other := range p.lock.snapshots {
		if other.Archive == s.Archive {
			p.fail(at, "archive", fmt.Errorf("duplicate snapshot of %q", s.Archive))
		}
		if other.Suite != s.Suite {
			p.fail(at, "suite", fmt.Errorf("%q and %q: want one suite", other.Suite, s.Suite))
		}
	}
	p.lock.snapshots = append(p.lock.snapshots, s)
}

// checkPackages checks that each package has a snapshot.
func (l *Lock) checkPackages() error {
	for _, pin := range l.packages {
		if l.SnapshotURL(pin) == "" {
			return fmt.Errorf("package %s: the lock has no snapshot of the archive %q", pin.Key(), pin.Archive)
		}
	}
	return nil
}
