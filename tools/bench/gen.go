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

// manyVersions is how many releases the generator is measured with.
const manyVersions = 2000

// generator measures tools/gen on a manifest of many versions, writing the
// whole tree anew.
func generator(ctx context.Context, env cli.Env, dir string) (step, step, error) {
	catalog, _, err := versions.Load()
	if err != nil {
		return nil, nil, err
	}
	gen := filepath.Join(dir, "gen")
	if err := command(ctx, env, "go", "build", "-o", gen, "./tools/gen"); err != nil {
		return nil, nil, err
	}
	manifest, lock, err := many(env.Dir, catalog)
	if err != nil {
		return nil, nil, err
	}
	seed := filepath.Join(dir, "seed")
	err = errors.Join(
		os.Mkdir(seed, 0o755),
		os.WriteFile(filepath.Join(seed, filepath.Base(versions.ManifestFile)), manifest, 0o644),
		os.WriteFile(filepath.Join(seed, filepath.Base(versions.LockFile)), lock, 0o644))
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, n int) error {
		// A root of its own for each run costs next to nothing; writing the lock
		// and removing the tree would cost as much as the generator.
		root := filepath.Join(dir, fmt.Sprint(n))
		err := errors.Join(os.Mkdir(root, 0o755), os.Symlink(seed, filepath.Join(root, "versions")))
		if err != nil {
			return err
		}
		peak, err := peakMemory(exec.CommandContext(ctx, gen, "-root", root))
		fmt.Fprintf(env.Err, "gen: %d MiB at most\n", peak>>20)
		return err
	}, nil, nil
}

// many is the committed manifest with other releases, and the pins they want.
func many(root string, catalog *versions.Catalog) (manifest, lock []byte, err error) {
	manifest, err = os.ReadFile(filepath.Join(root, versions.ManifestFile))
	if err != nil {
		return nil, nil, err
	}
	head, _, _ := strings.Cut(string(manifest), "\nreleases:\n")
	var b strings.Builder
	b.WriteString(head + "\nreleases:\n")
	for i := range manyVersions {
		fmt.Fprintf(&b, "  - v1.%d.%d\n", 100+i/20, i%20)
	}
	m, err := versions.ParseManifest(versions.ManifestFile, []byte(b.String()))
	if err != nil {
		return nil, nil, err
	}
	l := versions.NewLock()
	for i, key := range m.RequiredFiles() {
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
	return []byte(b.String()), l.Format(), nil
}
