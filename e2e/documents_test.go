//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// A registry without the referrers API lists the SBOM and the provenance of each
// platform and of the index, and a second push sends nothing.
func TestPushDocuments(t *testing.T) {
	r := startRegistry(t)
	repository := r.addr + "/hyperkube"
	push := []string{"run", "./tools/hk", "push", version, "--repository", repository, "--attach"}
	must(t, "go", push...)
	repo, err := name.NewRepository(repository)
	if err != nil {
		t.Fatal(err)
	}
	want := record(t, "hyperkube:"+version)
	subjects := map[string]string{"": want.Index}
	for _, platform := range platforms {
		subjects[platform] = want.Manifests[platform]
	}
	for platform, subject := range subjects {
		index, err := remote.Referrers(repo.Digest(subject))
		if err != nil {
			t.Fatal(err)
		}
		list, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Manifests) != 2 {
			t.Errorf("%q: referrers %+v, want two", platform, list.Manifests)
		}
		for _, desc := range list.Manifests {
			command := map[string]string{"application/spdx+json": "sbom", "application/vnd.in-toto+json": "provenance"}[desc.ArtifactType]
			args := []string{"run", "./tools/hk", command, version}
			if platform != "" {
				args = append(args, "--platform", platform)
			}
			manifest, err := remote.Get(repo.Digest(desc.Digest.String()))
			if err != nil {
				t.Fatal(err)
			}
			var m v1.Manifest
			if err := json.Unmarshal(manifest.Manifest, &m); err != nil {
				t.Fatal(err)
			}
			if document := must(t, "go", args...); m.Subject.Digest.String() != subject || sum(document) != m.Layers[0].Digest.String() {
				t.Errorf("%q: %s: manifest %s is not of the document", platform, command, manifest.Manifest)
			}
		}
	}
	r.uploaded()
	if got := run(t, nil, "go", push...); got.code != 0 || r.uploaded() != 0 || strings.Contains(got.stderr, "attached") {
		t.Errorf("again: exit code %d, %s", got.code, got.stderr)
	}
}
