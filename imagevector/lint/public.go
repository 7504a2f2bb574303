package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
)

// Public is an image that is still pulled from a public registry.
type Public struct {
	Registry string             // such as "registry.k8s.io"
	Name     string             // in the vector
	Image    string             // as of Source.Reference
	Source   imagevector.Source // the entry, after the overwrite
	Where    []Effect           // the lookups that choose it
}

// public returns the images that any lookup chooses and that are pulled from a public
// registry.
func (l *linter) public() ([]Public, error) {
	merged := vectorOf(l.base, l.over)
	chosen, err := imagevector.Compare(new(imagevector.Vector), merged, l.config.Kubernetes, l.config.Architectures, imagevector.LookupModes()...)
	if err != nil {
		return nil, err
	}
	sources := merged.Sources()
	byEntry := map[int]*Public{}
	for _, d := range chosen {
		s := sources[d.After]
		// Gardener does not look up names that are only in the overwrite.
		if !slices.ContainsFunc(l.base, func(b imagevector.Source) bool { return b.Name == s.Name }) {
			continue
		}
		image := s.Reference()
		if !l.isPublic(image) {
			continue
		}
		p := byEntry[d.After]
		if p == nil {
			registry, _ := imagevector.Registry(image)
			p = &Public{Registry: registry, Name: s.Name, Image: image, Source: s}
			byEntry[d.After] = p
		}
		// Other modes are omitted if the most common one chooses the entry.
		if d.Mode == imagevector.SameVersion || !slices.ContainsFunc(p.Where, func(e Effect) bool { return e.Architecture == d.Architecture }) {
			p.Where = addEffect(p.Where, Effect{Mode: d.Mode, Architecture: d.Architecture, Versions: versionsOf(d)})
		}
	}
	list := make([]Public, 0, len(byEntry))
	for i := range sources {
		if p := byEntry[i]; p != nil {
			list = append(list, *p)
		}
	}
	slices.SortStableFunc(list, func(a, b Public) int {
		return cmp.Or(strings.Compare(a.Registry, b.Registry), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

func (l *linter) isPublic(image string) bool {
	registry, path := imagevector.Registry(image)
	if len(l.config.Private) == 0 {
		return isWellKnown(registry)
	}
	full := registry + "/" + path
	return !slices.ContainsFunc(l.config.Private, func(prefix string) bool {
		prefix = strings.TrimSuffix(prefix, "/")
		return full == prefix || strings.HasPrefix(full, prefix) && strings.IndexByte("/:@", full[len(prefix)]) >= 0
	})
}

// isWellKnown reports whether a registry, given by its host, is a well-known public
// one, such as "quay.io" or "europe-docker.pkg.dev".
func isWellKnown(registry string) bool {
	for _, known := range []string{
		"docker.io", "registry-1.docker.io", "index.docker.io", "gcr.io", "pkg.dev", "k8s.io", "quay.io", "ghcr.io", "public.ecr.aws", "mcr.microsoft.com",
		"registry.gitlab.com", "docker.elastic.co", "cgr.dev", "registry.access.redhat.com", "registry.redhat.io", "nvcr.io", "icr.io", "docker.pkg.github.com",
	} {
		if registry == known || strings.HasSuffix(registry, "."+known) {
			return true
		}
	}
	return false
}
