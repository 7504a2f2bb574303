package versions

import (
	"cmp"
	"fmt"
	"strings"
)

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
