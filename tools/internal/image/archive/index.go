package archive

import "github.com/google/go-containerregistry/pkg/v1/types"

// Annotations with the name of an image. containerd and podman read the first one,
// skopeo the second one. Both have the full name, since two images of an archive may
// have the same tag.
const (
	nameAnnotation = "io.containerd.image.name"
	refAnnotation  = "org.opencontainers.image.ref.name"
)

type (
	topIndex struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Manifests     []topEntry      `json:"manifests"`
	}
	topEntry struct {
		MediaType   types.MediaType   `json:"mediaType"`
		Digest      Digest            `json:"digest"`
		Size        int64             `json:"size"`
		Annotations map[string]string `json:"annotations"`
	}
	dockerImage struct {
		Config   string   `json:"Config"`
		RepoTags []string `json:"RepoTags"`
		Layers   []string `json:"Layers"`
	}
)

// ociIndex returns the archive's index.json. It refers to the original index of an
// image, to keep its digest, even if the archive lacks some of its platforms: OCI
// allows layouts without all blobs.
func ociIndex(images []layout) topIndex {
	index := topIndex{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, l := range images {
		index.Manifests = append(index.Manifests, topEntry{
			l.target.MediaType, l.Digest, l.target.Size,
			map[string]string{nameAnnotation: l.Name, refAnnotation: l.Name},
		})
	}
	return index
}

// dockerManifest returns the archive's manifest.json, where a name refers to one
// platform. Other platforms are omitted: docker would load them as dangling images,
// and readers that select by position expect one image.
func dockerManifest(images []layout) []dockerImage {
	var list []dockerImage
	positions := map[Digest]int{} // of manifests in the list
	for _, l := range images {
		for _, p := range l.Platforms {
			if p.Platform != l.Docker {
				continue
			}
			if i, ok := positions[p.Manifest]; ok {
				list[i].RepoTags = append(list[i].RepoTags, l.Name)
				continue
			}
			positions[p.Manifest] = len(list)
			image := dockerImage{Config: blobName(p.Config), RepoTags: []string{l.Name}, Layers: []string{}}
			for _, d := range p.Layers {
				image.Layers = append(image.Layers, blobName(d))
			}
			list = append(list, image)
		}
	}
	return list
}
