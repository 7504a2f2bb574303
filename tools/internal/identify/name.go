package identify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/hyperkube/hyperkube/versions"
)

// Digest answers for a sha256 of 64 digits, with or without "sha256:".
func (i *Index) Digest(input string) (Answer, error) {
	d, err := versions.ParseDigest(strings.TrimPrefix(input, "sha256:"))
	if err != nil {
		return Answer{}, err
	}
	a := i.answer(input, d)
	if !a.Verdict.OK() {
		a.Notes = []string{"neither the sha256 of a pinned file nor a digest on record; the digest of a compressed layer is on record nowhere"}
	}
	return a, nil
}

// Name answers for an image: FLAVOR:TAG, or a reference with or without a digest.
func (i *Index) Name(input string) (Answer, error) {
	if image, err := i.data.Catalog.Image(input); err == nil {
		return i.image(input, image), nil
	}
	if _, digest, ok := strings.Cut(input, "@"); ok {
		a, err := i.Digest(digest)
		a.Input = input
		return a, err
	}
	// A word alone is rather the name of a file that does not exist.
	ref, err := name.NewTag(input)
	if err == nil && !strings.Contains(input, ":") {
		err = errors.New("want FLAVOR:TAG or REPOSITORY:TAG")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%q is neither a file, nor a sha256, nor the name of an image: %w", input, err)
	}
	repository := "/" + ref.Context().RepositoryStr()
	for _, image := range i.data.Catalog.Images {
		_, own, _ := strings.Cut(image.Repository, "/")
		if strings.HasSuffix(repository, "/"+own) && image.Tag == ref.TagStr() {
			a := i.image(input, image)
			a.Notes = append(a.Notes, "an image of this repository has this name; hk verify reads what the registry has")
			return a, nil
		}
	}
	return Answer{Input: input, Verdict: NotFound, Notes: []string{"no image of this repository has this name; hk verify reads what the registry has"}}, nil
}

func (i *Index) image(input string, image versions.Image) Answer {
	a := Answer{Input: input, Verdict: Declared}
	if record, ok := i.data.Records[image.Name()]; ok {
		a.Verdict = Recorded
		a.Documents = append(a.Documents, Document{"index", image.Name(), "", record.Index})
		for _, build := range image.Builds {
			platform := build.Platform.String()
			a.Documents = append(a.Documents, Document{"manifest", image.Name(), platform, record.Manifests[platform]})
		}
	} else {
		a.Notes = []string{"no digest is on record: the image was not built yet"}
	}
	for _, build := range image.Builds {
		for _, l := range build.Layers {
			if l.Pin != (versions.Pin{}) {
				p := i.describe(l.Pin)
				p.Images = []Use{{image.Name(), l.Path, ""}}
				a.Pins = append(a.Pins, p)
			}
		}
	}
	return a
}
