package sourcetree

import (
	"fmt"
	"regexp"
	"strings"
)

// Image is what a version's own files say of the image that upstream builds
// its binaries in.
type Image struct {
	Go    string // "1.26.2"
	Suite string // Debian's: "bullseye"
}

var crossVersion = regexp.MustCompile(`^v[0-9.]+-go([0-9]+(?:\.[0-9]+)+)-([a-z]+)\.[0-9]+$`)

// parseImage reads build/build-image/cross/VERSION
// ("v1.36.0-go1.26.2-bullseye.0") and .go-version, which older trees lack.
func parseImage(cross, goVersion string) (Image, error) {
	cross, goVersion = strings.TrimSpace(cross), strings.TrimSpace(goVersion)
	m := crossVersion.FindStringSubmatch(cross)
	if m == nil {
		return Image{}, fmt.Errorf("reading the tree's build image: %q is not of the form v1.36.0-go1.26.2-bullseye.0", cross)
	}
	if goVersion != "" && goVersion != m[1] {
		return Image{}, fmt.Errorf("reading the tree's build image: %q and .go-version %q name different toolchains", cross, goVersion)
	}
	return Image{Go: m[1], Suite: m[2]}, nil
}
