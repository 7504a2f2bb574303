package versions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// scratch is the empty image in the manifest.
const scratch = "scratch"

// ImageRef refers to an image or an index by digest. The zero value is scratch.
type ImageRef struct {
	repository string
	digest     Digest
}

// ParseImageRef parses "REGISTRY/REPOSITORY@sha256:DIGEST". The registry is
// required, because clients expand a bare name to one on a public registry.
func ParseImageRef(s string) (ImageRef, error) {
	repository, sum, _ := strings.Cut(s, "@sha256:")
	digest, err := ParseDigest(sum)
	if err != nil || !imagePattern.MatchString(repository) {
		return ImageRef{}, fmt.Errorf("%q is not an image reference by digest: want REGISTRY/REPOSITORY@sha256:DIGEST, where REGISTRY has a dot or a port, or is localhost", s)
	}
	return ImageRef{repository, digest}, nil
}

// String returns "REGISTRY/REPOSITORY@sha256:DIGEST", or "scratch".
func (r ImageRef) String() string {
	if r == (ImageRef{}) {
		return scratch
	}
	return r.repository + "@sha256:" + r.digest.String()
}

// MarshalText returns the same as String.
func (r ImageRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Repository returns "REGISTRY/REPOSITORY", "" of scratch.
func (r ImageRef) Repository() string { return r.repository }

// Digest returns the sha256 of the manifest or index, zero of scratch.
func (r ImageRef) Digest() Digest { return r.digest }

// Base is the base image of a flavor for some versions.
type Base struct {
	Versions *semver.Constraints
	Image    ImageRef
}

// BaseKey is the key of a base image in the lock.
type BaseKey struct {
	Image    ImageRef `json:"image"`
	Platform Platform `json:"platform"`
}

// String returns "REGISTRY/REPOSITORY@sha256:DIGEST for linux/amd64".
func (k BaseKey) String() string { return k.Image.String() + " for " + k.Platform.String() }

// Compare orders keys by image and platform.
func (k BaseKey) Compare(l BaseKey) int {
	return cmp.Or(cmp.Compare(k.Image.String(), l.Image.String()), k.Platform.compare(l.Platform))
}

// BasePin is the pin of a base image. The zero value is scratch.
type BasePin struct {
	BaseKey
	SHA256 Digest `json:"sha256"` // of the platform's image manifest
}

// base returns the base image of a version.
func (f *Flavor) base(v Version) ImageRef {
	for _, b := range f.Bases {
		if matches(b.Versions, v) {
			return b.Image
		}
	}
	return ImageRef{} // the manifest has no base
}

// base returns the pin of the base image of a flavor, version and platform.
func (c *Catalog) base(f *Flavor, v Version, p Platform) (BasePin, error) {
	key := BaseKey{f.base(v), p}
	if key.Image == (ImageRef{}) {
		return BasePin{}, nil
	}
	pin, ok := c.Lock.Base(key)
	if !ok {
		return pin, fmt.Errorf("flavor %q: base image %s is not pinned in %s. Fix: go run ./tools/hk pin", f.Name, key, LockFile)
	}
	return pin, nil
}

// RequiredBases returns the keys of the base images of all images of the manifest,
// sorted and without duplicates.
func (m *Manifest) RequiredBases() []BaseKey {
	wanted := map[BaseKey]bool{}
	for _, f := range m.Flavors {
		for _, r := range f.releases(m) {
			for _, platform := range f.Platforms {
				if base := f.base(r.Version); base != (ImageRef{}) {
					wanted[BaseKey{base, platform}] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(wanted), BaseKey.Compare)
}
