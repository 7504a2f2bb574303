package versions

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a stable Kubernetes version, vMAJOR.MINOR.PATCH. The zero value
// is no version; [ParseVersion] makes the others.
type Version struct{ major, minor, patch int }

var versionPattern = regexp.MustCompile(`^v(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$`)

// ParseVersion reads "v1.36.0". Pre-releases, build metadata, a missing "v" and
// leading zeros are errors.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a stable version like v1.36.0", s)
	}
	n := [3]int{}
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // the pattern allows nothing else
	}
	return Version{n[0], n[1], n[2]}, nil
}

// String returns "v1.36.0", or "" for the zero value.
func (v Version) String() string {
	if v == (Version{}) {
		return ""
	}
	return fmt.Sprintf("v%d.%d.%d", v.major, v.minor, v.patch)
}

// Label returns the version as Bazel labels write it: "v1_36_0".
func (v Version) Label() string { return strings.ReplaceAll(v.String(), ".", "_") }

// MinorLabel returns the minor version as Bazel labels write it: "v1_36".
func (v Version) MinorLabel() string { return fmt.Sprintf("v%d_%d", v.major, v.minor) }

// Compare orders versions by their numbers.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch))
}

// Digest is the sha256 of a file's bytes. The zero value is no digest;
// [ParseDigest] makes the others.
type Digest struct{ hex string }

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseDigest reads 64 lower-case hexadecimal digits.
func ParseDigest(s string) (Digest, error) {
	if !digestPattern.MatchString(s) {
		return Digest{}, fmt.Errorf("%q is not a sha256: want 64 lower-case hexadecimal digits, got %d characters", s, len(s))
	}
	return Digest{s}, nil
}

// String returns the 64 digits, without an algorithm.
func (d Digest) String() string { return d.hex }

// Platform is an operating system and an architecture that images are built
// for. The zero value is no platform; [ParsePlatform] makes the others.
type Platform struct{ os, arch string }

var platforms = []string{"linux/amd64", "linux/arm64"}

// ParsePlatform reads "linux/amd64" or "linux/arm64", the two that upstream's
// binaries and our images are published for.
func ParsePlatform(s string) (Platform, error) {
	for _, known := range platforms {
		if s == known {
			os, arch, _ := strings.Cut(s, "/")
			return Platform{os, arch}, nil
		}
	}
	return Platform{}, fmt.Errorf("%q is not one of the platforms %s", s, strings.Join(platforms, ", "))
}

// String returns "linux/amd64".
func (p Platform) String() string { return p.os + "/" + p.arch }

// Label returns the platform as Bazel labels write it: "linux_amd64".
func (p Platform) Label() string { return p.os + "_" + p.arch }

func (p Platform) compare(q Platform) int {
	return cmp.Or(cmp.Compare(p.os, q.os), cmp.Compare(p.arch, q.arch))
}

// OS returns "linux".
func (p Platform) OS() string { return p.os }

// Arch returns "amd64" or "arm64".
func (p Platform) Arch() string { return p.arch }
