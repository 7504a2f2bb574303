package oci

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// SelectPlatform returns the digest of a platform's manifest in an index. If raw is
// a manifest, isIndex is false; its config has the platform.
func SelectPlatform(raw []byte, p versions.Platform) (digest versions.Digest, isIndex bool, err error) {
	fail := func(err error) (versions.Digest, bool, error) {
		return versions.Digest{}, true, fmt.Errorf("reading base image index sha256:%x: %w", sha256.Sum256(raw), err)
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
		// The baseline variant of the architecture, or none.
		baseline := variant == "" || variant == map[string]string{"amd64": "v1", "arm64": "v8"}[arch]
		if os == p.OS() && arch == p.Arch() && baseline {
			found = append(found, m)
		} else {
			others = append(others, strings.TrimSuffix(os+"/"+arch+"/"+variant, "/"))
		}
	}
	if len(found) != 1 {
		return fail(fmt.Errorf("want one manifest for %s, got %d; other platforms: %q", p, len(found), others))
	}
	if _, ok := manifestTypes[found[0].get("mediaType").text]; !ok {
		return fail(fmt.Errorf("want the manifest of an image for %s, got media type %q", p, found[0].get("mediaType").text))
	}
	digest, err = parseDigest(found[0].get("digest"))
	if err != nil {
		return fail(err)
	}
	return digest, true, nil
}
