package rebuild

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

// Source is the name of upstream's release in the manifest and the lock.
const Source = "kubernetes"

// All selects all binaries of a version in the lock.
const All = "all"

// Job is one binary to rebuild.
type Job struct {
	results.Key
	Want versions.Digest `json:"sha256"` // of the official binary
}

func (j Job) String() string { return fmt.Sprintf("%s %s %s", j.Binary, j.Version, j.Platform) }

// JobOf returns the job of a pin.
func JobOf(pin versions.Pin) Job {
	return Job{results.Key{Version: pin.Version, Platform: pin.Platform, Binary: pin.File}, pin.SHA256}
}

// Jobs returns the jobs of a version by platform and binary. No binaries select
// those of all flavors, and [All] selects those of the lock.
func Jobs(catalog *versions.Catalog, version versions.Version, binaries []string, platforms []versions.Platform) ([]Job, error) {
	pinned := map[string]bool{}
	for _, pin := range catalog.Lock.Pins() {
		if pin.Source == Source && pin.Version == version {
			pinned[pin.File] = true
		}
	}
	if len(pinned) == 0 {
		return nil, fmt.Errorf("no official sha256 of %s in %s. Fix: add the release to %s and run hk pin", version, versions.LockFile, versions.ManifestFile)
	}
	switch {
	case len(binaries) == 0:
		binaries = flavorBinaries(catalog, version)
	case slices.Equal(binaries, []string{All}):
		binaries = slices.Collect(maps.Keys(pinned))
	}
	binaries = slices.Compact(slices.Sorted(slices.Values(binaries)))
	var jobs []Job
	for _, platform := range platforms {
		for _, binary := range binaries {
			pin, ok := catalog.Lock.Pin(versions.FileKey{Source: Source, Version: version, Platform: platform, File: binary})
			if !ok {
				return nil, cli.Usage("unknown binary %q: not in %s for %s %s", binary, versions.LockFile, version, platform)
			}
			jobs = append(jobs, JobOf(pin))
		}
	}
	return jobs, nil
}

func flavorBinaries(catalog *versions.Catalog, version versions.Version) []string {
	var names []string
	for _, image := range catalog.Images {
		for _, build := range image.Builds {
			for _, layer := range build.Layers {
				if layer.Pin.Source == Source && layer.Pin.Version == version {
					names = append(names, layer.Pin.File)
				}
			}
		}
	}
	return names
}
