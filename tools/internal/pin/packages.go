package pin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/debian/apt"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/versions"
)

// platforms returns the platforms for which packages are pinned.
func platforms() []versions.Platform {
	var all []versions.Platform
	for _, name := range versions.Platforms {
		p, err := versions.ParsePlatform(name)
		if err != nil {
			panic(err) // unreachable: Platforms are valid
		}
		all = append(all, p)
	}
	return all
}

// missingPackages returns the keys of the packages that the manifest names and the
// lock lacks.
func (p *pinner) missingPackages() []string {
	var keys []string
	for _, s := range p.manifest.RequiredPackageSets() {
		for _, platform := range platforms() {
			keys = append(keys, p.manifest.UnpinnedPackages(p.lock, s.Name, platform)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// downloadsOff reports whether all downloads are disabled. HYPERKUBE_REBUILD=1 allows
// the Debian mirror.
func (p *pinner) downloadsOff() bool { return p.env.Getenv("HYPERKUBE_UPSTREAM") == fetch.Off }

// index reads the indexes of the manifest's suite.
func (p *pinner) index(ctx context.Context) (*apt.Index, error) {
	if p.downloadsOff() {
		return nil, errors.New("reading the indexes of Debian: downloads are disabled by HYPERKUBE_UPSTREAM=off")
	}
	m, err := mirror.Find(p.env.Getenv)
	if err != nil {
		return nil, err
	}
	keyring := p.keyring
	if keyring == "" {
		if keyring, err = apt.Keyring(); err != nil {
			return nil, err
		}
	}
	options, err := mirror.NetworkOptions(ctx)
	if err != nil {
		return nil, err
	}
	suite := p.manifest.Debian.Suite
	task := p.fetcher.Progress.Start("reading the indexes of Debian "+suite+" from "+m.Archive.URI, "", 0)
	index, err := apt.Update(ctx, apt.Config{Mirror: m, Suite: suite, Options: options, Keyring: keyring})
	if err != nil {
		task.Fail()
		return nil, err
	}
	task.Done()
	outdated, err := index.Outdated(time.Now())
	if err != nil {
		return nil, errors.Join(err, index.Close())
	}
	for _, suite := range outdated {
		fmt.Fprintf(p.env.Err, "hk: warning: the index of %s, is past its Valid-Until date: it may lack security updates\n", suite)
	}
	return index, nil
}

// packages pins the packages of all sets. Packages that are pinned already keep their
// versions, except for an upgrade.
func (p *pinner) packages(ctx context.Context, upgrade bool) (err error) {
	index, err := p.index(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	var old []versions.PackagePin
	if p.lock.Suite() == p.manifest.Debian.Suite {
		old = p.lock.AllPackages()
	}
	var pins []versions.PackagePin
	for _, platform := range platforms() {
		preferred := old
		if upgrade {
			preferred = nil
		}
		solved, err := p.solve(ctx, index, platform, slices.DeleteFunc(slices.Clone(preferred), func(pin versions.PackagePin) bool { return pin.Platform != platform }))
		if err != nil {
			return err
		}
		pins = append(pins, solved...)
	}
	snapshots, err := index.Snapshots()
	if err != nil {
		return err
	}
	added, err := p.compare(old, pins, upgrade)
	if err == nil && added > 0 {
		p.lock.SetPackages(pins, snapshots)
		p.added += added
	}
	return err
}

// solve returns the pins of all sets for a platform. A set has the packages of those
// that it extends in the same versions.
func (p *pinner) solve(ctx context.Context, index *apt.Index, platform versions.Platform, preferred []versions.PackagePin) ([]versions.PackagePin, error) {
	var pins []versions.PackagePin
	for _, s := range p.manifest.RequiredPackageSets() {
		request := apt.Request{Preferred: preferred}
		chain := p.manifest.Debian.Chain(s.Name)
		for _, below := range chain {
			request.Names = append(request.Names, below.Requires...)
			for _, pin := range pins {
				if pin.Set == below.Name {
					request.Fixed = append(request.Fixed, pin)
				}
			}
		}
		solved, err := index.Solve(ctx, platform, request)
		if err != nil {
			return nil, fmt.Errorf("set %q: %w", s.Name, err)
		}
		for _, pin := range solved {
			if !slices.ContainsFunc(request.Fixed, func(fixed versions.PackagePin) bool { return fixed.Name == pin.Name }) {
				pin.Set = s.Name
				pins = append(pins, pin)
			}
		}
	}
	return pins, nil
}

// compare returns the number of pins that differ from the old ones. Other bytes of
// one version are an error, and other versions, except for an upgrade.
func (p *pinner) compare(old, pins []versions.PackagePin, upgrade bool) (added int, err error) {
	var dropped []string
	for _, pin := range pins {
		i := slices.IndexFunc(old, func(o versions.PackagePin) bool { return o.Platform == pin.Platform && o.Name == pin.Name })
		switch {
		case i < 0:
			added++
		case old[i].Version != pin.Version:
			added++
			dropped = append(dropped, old[i].Key()+" "+old[i].Version)
		case old[i].SHA256 != pin.SHA256 || old[i].Architecture != pin.Architecture:
			return 0, cli.Exit(cli.ExitDrift, fmt.Errorf("pinning %s %s: the lock has sha256 %s, got %s", pin.Key(), pin.Version, old[i].SHA256, pin.SHA256))
		case old[i] != pin:
			added++ // another set or another path
		}
	}
	if len(old) > len(pins) {
		added += len(old) - len(pins)
	}
	if upgrade || len(dropped) == 0 {
		return added, nil
	}
	return 0, fmt.Errorf("pinning packages: the indexes lack the pinned versions of %d packages: %s\n"+
		"Fix: upgrade all packages with --upgrade-packages, or pin from the snapshots of the lock: set %s", len(dropped), strings.Join(dropped, ", "), p.snapshotEnv())
}

// snapshotEnv returns the settings of the environment with which packages are pinned
// from the snapshots of the lock.
func (p *pinner) snapshotEnv() string {
	var settings []string
	for _, s := range p.lock.Snapshots() {
		name := mirror.ArchiveEnv
		if s.Archive == versions.SecurityArchive {
			name = mirror.SecurityEnv
		}
		settings = append(settings, name+"="+s.URL())
	}
	return strings.Join(settings, " ")
}

// Outdated returns the packages of the lock that have a newer version in the indexes,
// and those that the indexes lack, as lines for people.
func Outdated(ctx context.Context, env cli.Env, keyring string) (lines []string, err error) {
	p, err := newPinner(env)
	if err != nil {
		return nil, err
	}
	p.keyring = keyring
	if len(p.lock.AllPackages()) == 0 || p.manifest.Debian == nil || p.lock.Suite() != p.manifest.Debian.Suite {
		return nil, nil
	}
	if p.downloadsOff() {
		fmt.Fprintln(env.Err, "hk: HYPERKUBE_UPSTREAM=off: the Debian packages of the lock are not compared with the indexes")
		return nil, nil
	}
	index, err := p.index(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	wanted := map[string]bool{}
	for _, pin := range p.lock.AllPackages() {
		wanted[pin.Name] = true
	}
	for _, platform := range platforms() {
		available, err := index.Available(ctx, platform, wanted)
		if err != nil {
			return nil, err
		}
		for _, pin := range p.lock.AllPackages() {
			if pin.Platform != platform {
				continue
			}
			pinLines, err := outdated(pin, available[pin.Name])
			if err != nil {
				return nil, err
			}
			lines = append(lines, pinLines...)
		}
	}
	slices.SortStableFunc(lines, cmp.Compare)
	return lines, nil
}
