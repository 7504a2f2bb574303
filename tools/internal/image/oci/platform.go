package oci

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// SelectPlatform looks for a platform's image in an index, of which it returns the
// manifest's digest. A manifest is of one image, and for whatever platform its
// config says.
func SelectPlatform(raw []byte, p versions.Platform) (digest versions.Digest, isIndex bool, err error) {
	fail := func(err error) (versions.Digest, bool, error) {
		return versions.Digest{}, true, fmt.Errorf("reading the index of a base image, sha256:%x: %w", sha256.Sum256(raw), err)
	}
	v, err := parse(raw)
	if err != nil {
		return fail(err)
	}
	mediaType := v.get("mediaType")
	if mediaType.kind == null && v.get("manifests").kind != null {
		mediaType = str(MediaTypeIndex)
	}
	if mediaType.text != MediaTypeIndex && mediaType.text != "application/vnd.docker.distribution.manifest.list.v2+json" {
		return digest, false, nil
	}
	var found []value
	var others []string
	for _, m := range v.get("manifests").items {
		os, arch, variant := m.get("platform", "os").text, m.get("platform", "architecture").text, m.get("platform", "variant").text
		// The variant that every machine of the architecture is, or none.
		usual := variant == "" || variant == map[string]string{"amd64": "v1", "arm64": "v8"}[arch]
		if os == p.OS() && arch == p.Arch() && usual {
			found = append(found, m)
		} else {
			others = append(others, strings.TrimSuffix(os+"/"+arch+"/"+variant, "/"))
		}
	}
	if len(found) != 1 {
		return fail(fmt.Errorf("want one image for %s, got %d; it has others for %q", p, len(found), others))
	}
	if _, ok := manifestTypes[found[0].get("mediaType").text]; !ok {
		return fail(fmt.Errorf("want the manifest of an image for %s, got the media type %q", p, found[0].get("mediaType").text))
	}
	digest, err = readDigest(found[0].get("digest"))
	if err != nil {
		return fail(err)
	}
	return digest, true, nil
}
