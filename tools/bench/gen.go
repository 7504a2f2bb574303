package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

// manyVersions is the number of releases in the measured manifest.
const manyVersions = 2000

// generate measures tools/gen on a manifest of many versions, without existing
// BUILD files.
func generate(ctx context.Context, env cli.Env, w *workspace) (step, step, error) {
	catalog, err := versions.Load()
	if err != nil {
		return nil, nil, err
	}
	gen := filepath.Join(w.dir, "gen")
	if _, err := command(ctx, env, "go", "build", "-o", gen, "./tools/gen"); err != nil {
		return nil, nil, err
	}
	manifest, lock, err := manyReleases(env.Dir, catalog)
	if err != nil {
		return nil, nil, err
	}
	seed := filepath.Join(w.dir, "seed")
	err = errors.Join(
		os.Mkdir(seed, 0o755),
		os.WriteFile(filepath.Join(seed, filepath.Base(versions.ManifestFile)), manifest, 0o644),
		os.WriteFile(filepath.Join(seed, filepath.Base(versions.LockFile)), lock, 0o644))
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, n int) (int64, error) {
		// A new root for each run takes no time; removing the old BUILD files would
		// take as long as the generator.
		root := filepath.Join(w.dir, fmt.Sprint(n))
		err := errors.Join(os.Mkdir(root, 0o755), os.Symlink(seed, filepath.Join(root, "versions")))
		if err != nil {
			return 0, err
		}
		return peakMemory(exec.CommandContext(ctx, gen, "-root", root))
	}, nil, nil
}

// manyReleases returns the committed manifest with other releases, and a lock
// with a pin for every file.
func manyReleases(root string, catalog *versions.Catalog) (manifest, lock []byte, err error) {
	manifest, err = os.ReadFile(filepath.Join(root, versions.ManifestFile))
	if err != nil {
		return nil, nil, err
	}
	head, _, _ := strings.Cut(string(manifest), "\nreleases:\n")
	manifest = []byte(head + "\nreleases:\n")
	for i := range manyVersions {
		manifest = fmt.Appendf(manifest, "  - v1.%d.%d\n", 100+i/20, i%20)
	}
	m, err := versions.ParseManifest(versions.ManifestFile, manifest)
	if err != nil {
		return nil, nil, err
	}
	l := versions.NewLock()
	l.SetPackages(catalog.Lock.AllPackages(), catalog.Lock.Snapshots())
	for i, key := range m.RequiredFiles(l) {
		digest, err := versions.ParseDigest(fmt.Sprintf("%064x", i))
		if err != nil {
			return nil, nil, err
		}
		source, _ := catalog.Manifest.Source(key.Source)
		pin := versions.Pin{FileKey: key, SHA256: digest}
		if source.Kind == versions.KindRelease {
			pin.URL = source.FileURL(key)
		}
		l.Set(pin)
	}
	return manifest, l.Format(), nil
}
