// Package pin adds pins to versions/lock.json for the files, base images and Debian
// packages that the manifest requires. A pin is never changed, except that of a
// program of this repository, and those of all packages together.
package pin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// Options select the pins to add. Without Programs, Imports, Archives and
// UpgradePackages, those are all that are missing; at most one of them may be set.
type Options struct {
	Programs    bool      // pin the programs of this repository again
	Imports     []string  // JSON files: version to file to architecture to sha256
	Archives    []Archive // archives to pin with the member that the manifest names
	TrustMirror bool      // trust checksums from the mirror in HYPERKUBE_UPSTREAM
	// UpgradePackages pins the Debian packages again, in their newest versions.
	UpgradePackages bool
	Keyring         string // that signs Debian's indexes; "" for Debian's
}

// selections returns the number of options that select the pins to add.
func (o Options) selections() (n int) {
	for _, set := range []bool{o.Programs, len(o.Imports) > 0, len(o.Archives) > 0, o.UpgradePackages} {
		if set {
			n++
		}
	}
	return n
}

// Add adds pins to the lock of the checkout at env.Dir. Pins that were made
// before an error are kept, so that the next run continues from there. If a
// checksum differs from the pinned one, the error exits with [cli.ExitDrift].
func Add(ctx context.Context, env cli.Env, o Options) error {
	if o.selections() > 1 {
		return cli.Usage("want at most one of --programs, --import, --archive and --upgrade-packages")
	}
	// One process at a time reads and replaces the lock.
	dir, err := lockfile.AcquireDir(ctx, env.Dir, lockfile.Wait{Timeout: lockfile.LongTimeout, Notify: func(holder string) {
		fmt.Fprintf(env.Err, "hk: waiting for %s, which writes to the checkout\n", holder)
	}})
	if err != nil {
		return err
	}
	defer dir.Close()
	p, err := newPinner(env)
	if err != nil {
		return err
	}
	p.fetcher.TrustMirror, p.keyring = o.TrustMirror, o.Keyring
	switch {
	case o.Programs:
		err = p.programs(ctx)
	case len(o.Imports) > 0:
		for _, file := range o.Imports {
			err = errors.Join(err, p.importFile(ctx, file))
		}
	case len(o.Archives) > 0:
		err = p.raising(func() (err error) {
			for _, a := range o.Archives {
				err = errors.Join(err, p.archive(ctx, a))
			}
			return err
		})
	case o.UpgradePackages:
		err = p.raising(func() error { return p.packages(ctx, true) })
	default:
		if err = p.missing(ctx); ctx.Err() == nil && len(p.missingPackages()) > 0 {
			err = errors.Join(err, p.packages(ctx, false))
		}
	}
	return errors.Join(err, p.write())
}

// Missing returns the keys of the files, base images and packages that [Add] would pin
// without options, sorted.
func Missing(env cli.Env) ([]string, error) {
	p, err := newPinner(env)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, key := range p.missingFiles() {
		if source, _ := p.manifest.Source(key.Source); source.Kind != versions.KindArchive {
			keys = append(keys, key.String())
		}
	}
	for _, key := range p.missingBases() {
		keys = append(keys, key.String())
	}
	return append(keys, p.missingPackages()...), nil
}

type pinner struct {
	env      cli.Env
	path     string
	manifest *versions.Manifest
	lock     *versions.Lock
	fetcher  *fetch.Fetcher
	keyring  string // "" for Debian's
	added    int
}

// newPinner reads the manifest and the lock without resolving them: the lock may
// lack pins.
func newPinner(env cli.Env) (*pinner, error) {
	p := &pinner{env: env, path: filepath.Join(env.Dir, versions.LockFile)}
	root := os.DirFS(env.Dir)
	raw, err := versions.ReadFile(root, versions.ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("reading manifest: %w", err)
	}
	if p.manifest, err = versions.ParseManifest(versions.ManifestFile, raw); err != nil {
		return nil, err
	}
	raw, err = versions.ReadFile(root, versions.LockFile)
	if err != nil {
		return nil, fmt.Errorf("reading lock: %w", err)
	}
	if p.lock, err = versions.ParseLock(versions.LockFile, raw); err != nil {
		return nil, err
	}
	p.fetcher, err = fetch.New(env, &versions.Catalog{Manifest: p.manifest, Lock: p.lock})
	return p, err
}

// missingFiles returns the files that images need and the lock lacks.
func (p *pinner) missingFiles() []versions.FileKey {
	return slices.DeleteFunc(p.manifest.RequiredFiles(p.lock), func(key versions.FileKey) bool {
		_, ok := p.lock.Pin(key)
		return ok
	})
}

// missingBases returns the base images that images need and the lock lacks.
func (p *pinner) missingBases() []versions.BaseKey {
	return slices.DeleteFunc(p.manifest.RequiredBases(), func(key versions.BaseKey) bool {
		_, ok := p.lock.Base(key)
		return ok
	})
}

// missing pins released files by the checksums of upstream, programs by building
// them, and base images by their index.
func (p *pinner) missing(ctx context.Context) error {
	var errs []error
	for _, key := range p.missingFiles() {
		if errs = append(errs, p.file(ctx, key)); ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
	for _, key := range p.missingBases() {
		pin, err := p.fetcher.PinBase(ctx, key)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		p.lock.SetBase(pin)
		p.added++
	}
	return errors.Join(errs...)
}

func (p *pinner) file(ctx context.Context, key versions.FileKey) error {
	source, _ := p.manifest.Source(key.Source)
	if _, ok := source.File(key); !ok {
		return fmt.Errorf("pinning %s: source %q of %s does not declare it for that version", key, key.Source, versions.ManifestFile)
	}
	var pin versions.Pin
	var err error
	switch source.Kind {
	case versions.KindRelease:
		pin, err = p.fetcher.Pin(ctx, key, source)
	case versions.KindGoBuild:
		pin, err = p.fetcher.PinProgram(ctx, key, source)
	case versions.KindArchive:
		return nil // upstream publishes no checksums of archives; see Options.Archives
	}
	if err != nil {
		return err
	}
	return p.add(pin)
}

// programs pins every program of this repository again.
func (p *pinner) programs(ctx context.Context) error {
	for _, key := range p.manifest.RequiredFiles(p.lock) {
		source, _ := p.manifest.Source(key.Source)
		if source.Kind != versions.KindGoBuild {
			continue
		}
		pin, err := p.fetcher.PinProgram(ctx, key, source)
		if err != nil {
			return err
		}
		if old, ok := p.lock.Pin(key); !ok || old != pin {
			p.lock.Set(pin)
			p.added++
		}
	}
	return nil
}

// add adds a pin to the lock, unless the lock has the file with another sha256.
func (p *pinner) add(pin versions.Pin) error {
	old, ok := p.lock.Pin(pin.FileKey)
	if ok && old.SHA256 != pin.SHA256 {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("pinning %s: the lock has sha256 %s, got %s", pin.FileKey, old.SHA256, pin.SHA256))
	}
	if !ok {
		p.lock.Set(pin)
		p.added++
	}
	return nil
}

func (p *pinner) write() error {
	if p.added == 0 {
		return nil
	}
	for _, w := range p.lock.Warnings() {
		fmt.Fprintf(p.env.Err, "hk: warning: %s\n", w)
	}
	if err := atomic.WriteFile(p.path, p.lock.Format()); err != nil {
		return err
	}
	fmt.Fprintf(p.env.Err, "hk: pinned %d files, base images and packages; next: go run ./tools/gen\n", p.added)
	return nil
}
