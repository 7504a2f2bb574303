package pin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
)

// maxImport is the maximum size of a list of checksums in bytes.
const maxImport = 64 << 20

// importFile pins the files in a list of checksums that release sources declare
// for the releases of the manifest. Other versions and files are skipped; an
// invalid checksum is an error.
func (p *pinner) importFile(ctx context.Context, file string) error {
	raw, err := ctxio.ReadFile(ctx, file, maxImport)
	if err != nil {
		return fmt.Errorf("reading list: %w", err)
	}
	var sums map[string]map[string]map[string]string // version, file, architecture
	if err := json.Unmarshal(raw, &sums); err != nil {
		return fmt.Errorf("reading list %q: %w", file, err)
	}
	var errs []error
	for _, release := range p.manifest.Releases {
		byFile := sums[release.Version.String()]
		for _, source := range p.manifest.Sources {
			if source.Kind != versions.KindRelease {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(byFile)) {
				errs = append(errs, p.importSums(source, release.Version, name, byFile[name]))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("reading list %q: %w", file, err)
	}
	return nil
}

// importSums pins a file of a release for the architectures in the list.
func (p *pinner) importSums(source versions.Source, v versions.Version, name string, byArch map[string]string) error {
	var errs []error
	for _, arch := range slices.Sorted(maps.Keys(byArch)) {
		platform, err := versions.ParsePlatform("linux/" + arch)
		if err != nil {
			continue // no image is built for it
		}
		key := versions.FileKey{Source: source.Name, Version: v, Platform: platform, File: name}
		if _, ok := source.File(key); !ok {
			continue
		}
		digest, err := versions.ParseDigest(byArch[arch])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		errs = append(errs, p.add(versions.Pin{FileKey: key, URL: source.FileURL(key), SHA256: digest}))
	}
	return errors.Join(errs...)
}
