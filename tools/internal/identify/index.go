// Package identify says what a file, a digest or the name of an image is: which pin
// of the lock, or else which pin it resembles. It needs no network.
package identify

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/endoflife"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

// upstream is the source of the manifest whose files upstream Kubernetes published.
const upstream = "kubernetes"

// Index finds pins, images and digests.
type Index struct {
	data    checkout.Data
	results results.Results
	dates   builddate.Dates
	ends    endoflife.Dates
	now     time.Time

	pins      map[versions.Digest][]versions.Pin
	upstream  []versions.Pin // those of upstream's files, by key
	uses      map[versions.Digest][]Use
	documents map[string][]Document // by "sha256:HEX"
	layers    map[string][]string   // images by platform and uncompressed layers
	programs  map[string]bool       // names of upstream's files
}

// Use is a place of a pinned file in the images of this repository.
type Use struct {
	Image string `json:"image"` // "hyperkube:v1.36.0"
	Path  string `json:"path"`
	// Index is the digest on record of the image; "" without a record.
	Index string `json:"index,omitempty"`
}

// Document is something with a digest on record.
type Document struct {
	Kind string `json:"kind"` // "index", "manifest", "uncompressed layer", "base image", "package", "archive"
	// Image is the name of the image, of the package with its version, or the key of
	// the file in the archive.
	Image    string `json:"image"`
	Platform string `json:"platform,omitempty"`
	Digest   string `json:"digest"` // "sha256:HEX"
}

// New returns an index of a catalog. Support by upstream is that on the day of now.
func New(d checkout.Data, now time.Time) (*Index, error) {
	i := &Index{
		data: d, now: now, pins: map[versions.Digest][]versions.Pin{}, uses: map[versions.Digest][]Use{},
		documents: map[string][]Document{}, layers: map[string][]string{}, programs: map[string]bool{},
	}
	var err1, err2, err3 error
	i.results, err1 = read(d, results.File, results.Parse)
	i.dates, err2 = read(d, builddate.File, builddate.Parse)
	i.ends, err3 = read(d, endoflife.File, endoflife.Parse)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	for _, pin := range d.Catalog.Lock.Pins() {
		i.pins[pin.SHA256] = append(i.pins[pin.SHA256], pin)
		if pin.Archive != (versions.Digest{}) {
			i.addDocument("sha256:"+pin.Archive.String(), Document{Kind: "archive", Image: pin.FileKey.String(), Platform: pin.Platform.String()})
		}
		if pin.Source == upstream {
			i.upstream = append(i.upstream, pin)
			i.programs[pin.File] = true
		}
	}
	i.addImages()
	for _, pin := range d.Catalog.Lock.Bases() {
		i.addDocument("sha256:"+pin.SHA256.String(), Document{Kind: "base image", Image: pin.Image.String(), Platform: pin.Platform.String()})
	}
	for _, pin := range d.Catalog.Lock.AllPackages() {
		i.addDocument("sha256:"+pin.SHA256.String(), Document{Kind: "package", Image: pin.Name + " " + pin.Version, Platform: pin.Platform.String()})
	}
	return i, nil
}

// read reads a file of the checkout that may be missing.
func read[T any](d checkout.Data, name string, parse func(string, []byte) (T, error)) (T, error) {
	raw, err := d.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		var none T
		return none, nil
	}
	if err != nil {
		var none T
		return none, fmt.Errorf("reading %q: %w", name, err)
	}
	return parse(name, raw)
}

func (i *Index) addImages() {
	for _, image := range i.data.Catalog.Images {
		name := image.Name()
		record := i.data.Records[name]
		for _, build := range image.Builds {
			for _, l := range build.Layers {
				if use := (Use{name, l.Path, record.Index}); l.Pin != (versions.Pin{}) && !slices.Contains(i.uses[l.Pin.SHA256], use) {
					i.uses[l.Pin.SHA256] = append(i.uses[l.Pin.SHA256], use)
				}
			}
		}
	}
	for name, record := range i.data.Records {
		i.addDocument(record.Index, Document{Kind: "index", Image: name})
		for platform, digest := range record.Manifests {
			i.addDocument(digest, Document{Kind: "manifest", Image: name, Platform: platform})
		}
		for platform, layers := range record.DiffIDs {
			key := layersKey(platform, layers)
			i.layers[key] = append(i.layers[key], name)
			for _, digest := range layers {
				i.addDocument(digest, Document{Kind: "uncompressed layer", Image: name, Platform: platform})
			}
		}
	}
}

func (i *Index) addDocument(digest string, d Document) {
	d.Digest = digest
	if digest != "" && !slices.Contains(i.documents[digest], d) {
		i.documents[digest] = append(i.documents[digest], d)
	}
}

func layersKey(platform string, diffIDs []string) string {
	return platform + " " + strings.Join(diffIDs, " ")
}

// SameLayers returns the images on record with the same uncompressed layers for a
// platform, by name. The digest of a manifest differs if a tool compresses its
// layers again.
func (i *Index) SameLayers(platform string, diffIDs []string) []string {
	return sorted(i.layers[layersKey(platform, diffIDs)])
}

// Recorded returns the images on record that have an index or a manifest with a
// digest, by name.
func (i *Index) Recorded(digest string) []string {
	var names []string
	for _, d := range i.documents[digest] {
		if d.Kind == "index" || d.Kind == "manifest" {
			names = append(names, d.Image)
		}
	}
	return sorted(names)
}

// sorted returns a sorted copy without duplicates, which is not nil.
func sorted(names []string) []string {
	names = append([]string{}, names...)
	slices.Sort(names)
	return slices.Compact(names)
}

// IsProgram reports whether a file name is that of one of upstream's binaries.
func (i *Index) IsProgram(name string) bool { return i.programs[name] }
