package versions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Platform is an operating system and an architecture of images.
type Platform struct{ os, arch string }

// Platforms are the platforms of the images.
var Platforms = []string{"linux/amd64", "linux/arm64"}

// ParsePlatform parses "linux/amd64" or "linux/arm64".
func ParsePlatform(s string) (Platform, error) {
	if slices.Contains(Platforms, s) {
		os, arch, _ := strings.Cut(s, "/")
		return Platform{os, arch}, nil
	}
	return Platform{}, fmt.Errorf("%q is not a supported platform: want one of %s", s, strings.Join(Platforms, ", "))
}

// String returns "linux/amd64".
func (p Platform) String() string { return p.os + "/" + p.arch }

// Label returns the platform as in labels, "linux_amd64".
func (p Platform) Label() string { return p.os + "_" + p.arch }

func (p Platform) compare(q Platform) int {
	return cmp.Or(cmp.Compare(p.os, q.os), cmp.Compare(p.arch, q.arch))
}

// OS returns "linux".
func (p Platform) OS() string { return p.os }

// Arch returns "amd64" or "arm64".
func (p Platform) Arch() string { return p.arch }

// MarshalText returns the same as String.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText parses what MarshalText returns.
func (p *Platform) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlatform(string(text))
	return err
}
