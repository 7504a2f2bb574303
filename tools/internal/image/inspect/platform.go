package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// platform is an image for one platform, whose layers were not read yet.
type platform struct {
	Platform
	layers  []blob
	diffIDs []v1.Hash
}

// blob identifies a layer.
type blob struct {
	digest v1.Hash
	size   int64
}

func layersOf(m v1.Manifest) []blob {
	var layers []blob
	for _, d := range m.Layers {
		layers = append(layers, blob{d.Digest, d.Size})
	}
	return layers
}

func hashes(list []v1.Hash) []string {
	var texts []string
	for _, h := range list {
		texts = append(texts, h.String())
	}
	return texts
}

// scanLayers scans the layers of all platforms, each once.
func (i *inspector) scanLayers(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	var mu sync.Mutex
	for _, p := range i.platforms {
		for _, b := range p.layers {
			if _, ok := i.layers[b]; ok {
				continue
			}
			l := &layer{}
			i.layers[b] = l
			group.Go(func() error {
				scanned, err := i.source.scan(ctx, i.scanner(), v1.Descriptor{Digest: b.digest, Size: b.size})
				mu.Lock()
				defer mu.Unlock()
				var v violation
				if errors.As(err, &v) {
					scanned, err = &layer{problem: v}, nil
				}
				if err == nil {
					*l = *scanned
				}
				return err
			})
		}
	}
	return group.Wait()
}

// finish lists the files of the layers of a platform, and checks them.
func (i *inspector) finish(p *platform) {
	var layers []*layer
	fail := func(n int, format string, args ...any) {
		i.image.Violations = append(i.image.Violations, fmt.Sprintf("%s layer %d: ", p.Platform.Platform, n)+fmt.Sprintf(format, args...))
	}
	for n, b := range p.layers {
		l := i.layers[b]
		layers = append(layers, l)
		switch {
		case l.problem != nil:
			fail(n, "%v", l.problem)
		case l.digest != b.digest.String() || b.size != 0 && l.size != b.size:
			fail(n, "want %s of %d bytes, got %s of %d", b.digest, b.size, l.digest, l.size)
		case l.diffID != p.diffIDs[n].String():
			fail(n, "want diffID %s, got %s", p.diffIDs[n], l.diffID)
		}
		p.Others.Files += l.others.Files
		p.Others.Bytes += l.others.Bytes
		p.Others.ELF += l.others.ELF
	}
	p.Files = append(p.Files, files(layers)...)
	i.image.Platforms = append(i.image.Platforms, p.Platform)
	i.image.Violations = append(i.image.Violations, p.check()...)
}

// files returns the files of all layers, from the lowest layer.
func files(layers []*layer) []File {
	var all []File
	byPath := map[string][]int{}
	for n, l := range layers {
		for _, f := range l.files {
			f.Layer = n
			f.Hidden = slices.ContainsFunc(layers[n+1:], func(upper *layer) bool { return upper.hides(f.Path) })
			byPath[f.Path] = append(byPath[f.Path], len(all))
			all = append(all, f)
		}
		for _, link := range l.links {
			for _, at := range byPath[link[1]] {
				all[at].Links = append(all[at].Links, link[0])
			}
		}
	}
	return all
}
