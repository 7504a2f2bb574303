package sourcetree

import (
	"fmt"
	"regexp"
	"strings"
)

// Image is the image in which upstream builds the binaries of a version.
type Image struct {
	Go    string // "1.26.2"
	Suite string // Debian release: "bullseye"
}

var crossVersion = regexp.MustCompile(`^v[0-9.]+-go([0-9]+(?:\.[0-9]+)+)-([a-z]+)\.[0-9]+$`)

// parseImage parses build/build-image/cross/VERSION
// ("v1.36.0-go1.26.2-bullseye.0") and .go-version, which is "" in older trees.
func parseImage(cross, goVersion string) (Image, error) {
	cross, goVersion = strings.TrimSpace(cross), strings.TrimSpace(goVersion)
	m := crossVersion.FindStringSubmatch(cross)
	if m == nil {
		return Image{}, fmt.Errorf("reading the build image of the tree: want a version like v1.36.0-go1.26.2-bullseye.0, got %q", cross)
	}
	if goVersion != "" && goVersion != m[1] {
		return Image{}, fmt.Errorf("reading the build image of the tree: %q and .go-version %q have different toolchains", cross, goVersion)
	}
	return Image{Go: m[1], Suite: m[2]}, nil
}
