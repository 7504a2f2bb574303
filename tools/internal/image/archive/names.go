package archive

import "github.com/google/go-containerregistry/pkg/v1/types"

// What the readers know the images by. containerd and podman look for the first
// annotation, skopeo for the second one, which is the full name, too: two images
// of one archive may have the same tag.
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

// ociIndex is the archive's index.json. An image's index stays as it is, so that
// its digest holds, even where the archive has not all of its platforms: OCI
// allows that blobs of a layout are elsewhere.
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

// dockerManifest is the archive's manifest.json. There a name stands for one
// platform; the others have none, and are left out: whoever loads the archive
// would have them lie about, and readers that want no name want one image.
func dockerManifest(images []layout) []dockerImage {
	var list []dockerImage
	at := map[Digest]int{} // of a manifest in the list
	for _, l := range images {
		for _, p := range l.Platforms {
			if p.Platform != l.Docker {
				continue
			}
			if i, ok := at[p.Manifest]; ok {
				list[i].RepoTags = append(list[i].RepoTags, l.Name)
				continue
			}
			at[p.Manifest] = len(list)
			image := dockerImage{Config: blobName(p.Config), RepoTags: []string{l.Name}, Layers: []string{}}
			for _, d := range p.Layers {
				image.Layers = append(image.Layers, blobName(d))
			}
			list = append(list, image)
		}
	}
	return list
}
