// Update writes versions/lock.json: it pins the files and base images that the
// manifest wants and the lock lacks.
//
//	go run ./tools/update                  what is missing: from upstream, or by building it
//	go run ./tools/update -programs        the programs of this repository, anew
//	go run ./tools/update -import FILE     sums that somebody else gathered
//	go run ./tools/update -archive SOURCE/VERSION/OS/ARCH/FILE=SHA256
//	                                       a member of the archive that has this sha256
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a sum is not the one that is
// pinned: a pin is never changed, except of a program of this repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("update", run)) }

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("update", flag.ContinueOnError)
	programs := fs.Bool("programs", false, "build this repository's programs and pin what comes out")
	trust := fs.Bool("trust-mirror", false, "believe the mirror in HYPERKUBE_UPSTREAM what the sha256 of a new file is")
	var lists []string
	fs.Func("import", "a JSON `file`: version to file to architecture to sha256; repeatable", func(s string) error {
		lists = append(lists, s)
		return nil
	})
	var members []member
	fs.Func("archive", "`KEY=SHA256` of an archive, to pin it and the member that the manifest names; repeatable", func(s string) error {
		m, err := parseMember(s)
		members = append(members, m)
		return err
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	ways := 0
	for _, asked := range []bool{*programs, len(lists) > 0, len(members) > 0} {
		if asked {
			ways++
		}
	}
	if ways > 1 {
		return cli.Usage("want one of -programs, -import and -archive at a time")
	}
	// One at a time: the lock is read, added to and replaced.
	alone, err := lockfile.AcquireDir(ctx, env.Dir, func() { fmt.Fprintln(env.Err, "update: waiting for another process that writes here") })
	if err != nil {
		return err
	}
	defer alone.Close()
	u, err := newUpdater(env)
	if err != nil {
		return err
	}
	u.fetcher.TrustMirror = *trust
	switch {
	case *programs:
		err = u.programs(ctx)
	case len(lists) > 0:
		for _, file := range lists {
			err = errors.Join(err, u.list(file))
		}
	case len(members) > 0:
		for _, m := range members {
			err = errors.Join(err, u.member(ctx, m))
		}
	default:
		err = u.missing(ctx)
	}
	// What was pinned before an error stays: the next run goes on from there.
	return errors.Join(err, u.write())
}

type updater struct {
	env      cli.Env
	path     string
	manifest *versions.Manifest
	lock     *versions.Lock
	fetcher  *fetch.Fetcher
	added    int
}

// newUpdater reads the manifest and the lock of the working directory, which
// need not fit together: mending that is what it is for.
func newUpdater(env cli.Env) (*updater, error) {
	u := &updater{env: env, path: filepath.Join(env.Dir, versions.LockFile)}
	raw, err := os.ReadFile(filepath.Join(env.Dir, versions.ManifestFile))
	if err != nil {
		return nil, fmt.Errorf("reading manifest: %w; run this in the root of the repository", err)
	}
	if u.manifest, err = versions.ParseManifest(versions.ManifestFile, raw); err != nil {
		return nil, err
	}
	raw, err = os.ReadFile(u.path)
	if err != nil {
		return nil, fmt.Errorf("reading lock: %w", err)
	}
	if u.lock, _, err = versions.ParseLock(versions.LockFile, raw); err != nil {
		return nil, err
	}
	u.fetcher, err = fetch.New(env, &versions.Catalog{Manifest: u.manifest, Lock: u.lock})
	return u, err
}

// missing pins what images want and the lock lacks: what is released by
// upstream's word, what is built by building it.
func (u *updater) missing(ctx context.Context) error {
	var errs []error
	for _, key := range u.manifest.RequiredFiles() {
		if _, ok := u.lock.Pin(key); ok {
			continue
		}
		if errs = append(errs, u.file(ctx, key)); ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
	return errors.Join(append(errs, u.bases(ctx))...)
}

// file pins one file.
func (u *updater) file(ctx context.Context, key versions.FileKey) error {
	source, _ := u.manifest.Source(key.Source)
	if _, ok := source.File(key); !ok {
		return fmt.Errorf("pinning %s: source %q of %s does not declare it for that version", key, key.Source, versions.ManifestFile)
	}
	var pin versions.Pin
	var err error
	switch source.Kind {
	case versions.KindRelease:
		pin, err = u.fetcher.Pin(ctx, key, source)
	case versions.KindGoBuild:
		pin, err = u.fetcher.PinProgram(ctx, key, source)
	case versions.KindArchive:
		return nil // nobody publishes sums of archives: see -archive
	}
	if err != nil {
		return err
	}
	return u.pin(pin)
}

// programs pins anew every program of this repository.
func (u *updater) programs(ctx context.Context) error {
	for _, key := range u.manifest.RequiredFiles() {
		source, _ := u.manifest.Source(key.Source)
		if source.Kind != versions.KindGoBuild || source.Module != "." {
			continue
		}
		pin, err := u.fetcher.PinProgram(ctx, key, source)
		if err != nil {
			return err
		}
		if old, ok := u.lock.Pin(key); !ok || old != pin {
			u.lock.Set(pin)
			u.added++
		}
	}
	return nil
}

// pin adds a pin that may be there already, but not with another sha256.
func (u *updater) pin(pin versions.Pin) error {
	old, ok := u.lock.Pin(pin.FileKey)
	if ok && old.SHA256 != pin.SHA256 {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("pinning %s: the lock has sha256 %s, got %s", pin.FileKey, old.SHA256, pin.SHA256))
	}
	if !ok {
		u.lock.Set(pin)
		u.added++
	}
	return nil
}

func (u *updater) write() error {
	if u.added == 0 {
		return nil
	}
	// The errors of hand that were met elsewhere show here first.
	if _, warnings, err := versions.ParseLock(versions.LockFile, u.lock.Format()); err == nil {
		for _, w := range warnings {
			fmt.Fprintf(u.env.Err, "update: warning: %s\n", w)
		}
	}
	if err := atomic.WriteFile(u.path, u.lock.Format()); err != nil {
		return err
	}
	fmt.Fprintf(u.env.Err, "update: pinned %d files and base images; next: go run ./tools/gen\n", u.added)
	return nil
}
