// Package provenance writes the SLSA provenance of images: the pins that an image was
// built from, and which of its binaries were rebuilt from source. It does not name the
// builder's program, Bazel or hk, because both give the same bytes.
package provenance

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/slsa"
	"github.com/hyperkube/hyperkube/versions"
)

// Statement returns the statement about an image. The digest, "sha256:…", is that of the
// manifest of one platform, or that of the index if the platform is zero.
func Statement(catalog *versions.Catalog, rebuilt results.Results, image versions.Image, platform versions.Platform, digest string) ([]byte, error) {
	pins := pins(catalog.Lock, image, platform)
	external := map[string]any{"image": image.Name()}
	if platform != (versions.Platform{}) {
		external["platform"] = platform.String()
	}
	return slsa.Provenance{
		Builder: slsa.Repository,
		BuildDefinition: slsa.BuildDefinition{
			BuildType:          slsa.Repository + "/docs/sbom.md@v1",
			ExternalParameters: external,
			// The hash that images/digests.json records.
			InternalParameters:   map[string]any{"inputs": image.InputHash().String()},
			ResolvedDependencies: dependencies(catalog.Manifest, pins, bases(image, platform)),
		},
		Byproducts: byproducts(catalog.Manifest, rebuilt, pins),
	}.Marshal(slsa.Resource{Name: image.Name(), Digest: slsa.SHA256(strings.TrimPrefix(digest, "sha256:"))})
}

// builds returns the builds for a platform, or all if it is zero.
func builds(image versions.Image, platform versions.Platform) []versions.Build {
	return slices.DeleteFunc(slices.Clone(image.Builds), func(b versions.Build) bool {
		return platform != (versions.Platform{}) && b.Platform != platform
	})
}

// pins returns the pins of the files in an image and of its Debian packages, by key.
func pins(lock *versions.Lock, image versions.Image, platform versions.Platform) []versions.Pin {
	var all []versions.Pin
	for _, build := range builds(image, platform) {
		for _, l := range build.Layers {
			switch {
			case l.Packages != nil:
				for _, p := range l.Packages.Pins() {
					all = append(all, lock.PackageFile(p))
				}
			case l.Pin != (versions.Pin{}):
				all = append(all, l.Pin)
			}
		}
	}
	slices.SortFunc(all, func(a, b versions.Pin) int { return cmp.Compare(a.FileKey.String(), b.FileKey.String()) })
	return slices.Compact(all)
}

func bases(image versions.Image, platform versions.Platform) []versions.BasePin {
	var all []versions.BasePin
	for _, build := range builds(image, platform) {
		if build.Base != (versions.BasePin{}) {
			all = append(all, build.Base)
		}
	}
	return all
}

func dependencies(m *versions.Manifest, pins []versions.Pin, bases []versions.BasePin) []slsa.Resource {
	var all []slsa.Resource
	for _, b := range bases {
		all = append(all, slsa.Resource{Name: "base image for " + b.Platform.String(), URI: b.Image.String(), Digest: slsa.SHA256(b.SHA256.String())})
	}
	for _, pin := range pins {
		r := slsa.Resource{Name: pin.FileKey.String(), URI: pin.URL, Digest: slsa.SHA256(pin.SHA256.String())}
		source, _ := m.Source(pin.Source)
		switch source.Kind {
		case versions.KindArchive:
			// The URL is that of the archive.
			all = append(all, slsa.Resource{Name: r.Name + " archive", URI: pin.URL, Digest: slsa.SHA256(pin.Archive.String())})
			r.URI = ""
		case versions.KindGoBuild:
			r.URI = "git+" + slsa.Repository
		}
		all = append(all, r)
	}
	return all
}

// byproducts returns the recorded results of rebuilding the binaries of an image. They
// are no inputs: another result changes the statement, and not the image.
func byproducts(m *versions.Manifest, rebuilt results.Results, pins []versions.Pin) []slsa.Resource {
	var all []slsa.Resource
	for _, pin := range pins {
		r, ok := rebuilt[results.Key{Version: pin.Version, Platform: pin.Platform, Binary: pin.File}]
		source, _ := m.Source(pin.Source)
		if !ok || source.Kind != versions.KindRelease || r.Outcome == results.Matched && r.SHA256 != pin.SHA256 {
			continue // no result, or that of another file
		}
		about := map[string]any{"outcome": r.Outcome}
		switch r.Outcome {
		case results.Matched:
			about["outcome"] = "matched by an independent rebuild"
		case results.Unbuildable:
			about["reason"] = r.Reason
		}
		for key, value := range map[string]string{"toolchain": r.Toolchain, "system": r.System, "compiler": r.Compiler, "commit": r.Commit} {
			if value != "" {
				about[key] = value
			}
		}
		all = append(all, slsa.Resource{Name: "rebuild of " + pin.FileKey.String(), Digest: slsa.SHA256(pin.SHA256.String()), Annotations: about})
	}
	return all
}
