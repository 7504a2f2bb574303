package archive

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// ContentsFile is the first entry of an archive.
const ContentsFile = "contents.json"

// schema is the only one there is so far.
const schema = 1

// maxContents bounds the first entry, in bytes. Twenty images of two platforms
// take some 30,000.
const maxContents = 8 << 20

// Contents tell what is in an archive. They are at its beginning.
type Contents struct {
	Schema int             `json:"schema"`
	Size   int64           `json:"size"`   // bytes of the tar
	Images []ImageContents `json:"images"` // by name
	Blobs  []BlobContents  `json:"blobs"`  // each once, in the order of the tar
}

// ImageContents are one image.
type ImageContents struct {
	Name      string             `json:"name"`
	Digest    Digest             `json:"digest"`    // what the name stands for: an index, or a manifest alone
	Docker    string             `json:"docker"`    // the platform that docker's manifest.json has
	Platforms []PlatformContents `json:"platforms"` // in the order of the index
}

// PlatformContents are what a reader needs of an image for one platform,
// besides the index.
type PlatformContents struct {
	Platform string   `json:"platform"` // "linux/amd64"
	Manifest Digest   `json:"manifest"`
	Config   Digest   `json:"config"`
	Layers   []Digest `json:"layers"` // from the lowest
}

// BlobContents tell where a blob is.
type BlobContents struct {
	Digest Digest `json:"digest"`
	Size   int64  `json:"size"`   // in bytes
	Offset int64  `json:"offset"` // of its first byte in the tar
}

// Digest is a sha256. The zero value is no digest; it is read from
// "sha256:HEX" alone, so that nothing else ever becomes part of a path.
type Digest struct{ sum versions.Digest }

const algorithm = "sha256:"

// String returns "sha256:HEX".
func (d Digest) String() string { return algorithm + d.sum.String() }

// MarshalText writes what String returns.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "sha256:HEX".
func (d *Digest) UnmarshalText(text []byte) error {
	hex, ok := strings.CutPrefix(string(text), algorithm)
	if !ok {
		return fmt.Errorf("%q is not a digest like sha256:…", text)
	}
	var err error
	d.sum, err = versions.ParseDigest(hex)
	return err
}

// ReadContents reads the beginning of an archive, compressed or not, and no
// more than that.
func ReadContents(r io.Reader) (c Contents, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading the contents of an archive: %w", err)
		}
	}()
	plain, closePlain, err := decompressor(r)
	if err != nil {
		return c, err
	}
	defer closePlain()
	t := tar.NewReader(plain)
	h, err := t.Next()
	switch {
	case err != nil:
		return c, fmt.Errorf("it does not begin as a tar: %w", err)
	case h.Name != ContentsFile || h.Typeflag != tar.TypeReg:
		return c, fmt.Errorf("its first entry is %q, want the file %q: it is not of tools/save", h.Name, ContentsFile)
	case h.Size > maxContents:
		return c, fmt.Errorf("%s has %d bytes, want %d at most", ContentsFile, h.Size, maxContents)
	}
	raw := make([]byte, h.Size)
	if _, err := io.ReadFull(t, raw); err != nil {
		return c, fmt.Errorf("%s: %w", ContentsFile, err)
	}
	return parseContents(raw)
}

func parseContents(raw []byte) (Contents, error) {
	// The schema first: the fields of another one may have other types.
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return Contents{}, fmt.Errorf("%s: %w", ContentsFile, err)
	}
	if version.Schema != schema {
		return Contents{}, fmt.Errorf("%s: schema: want %d, got %d: a newer tools/save wrote it", ContentsFile, schema, version.Schema)
	}
	var c Contents
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("%s: %w", ContentsFile, err)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", ContentsFile, err)
	}
	return c, nil
}

// check finds what a reader would stumble over: blobs that are not in the file,
// or lie upon one another, and names that are none.
func (c Contents) check() error {
	has := map[Digest]bool{}
	for i, image := range c.Images {
		if image.Digest == (Digest{}) {
			return fmt.Errorf("images[%d]: it has no digest", i)
		}
	}
	end := int64(block)
	for i, b := range c.Blobs {
		// The sum of two of these could be too much for the number.
		if b.Size < 0 || b.Offset < end || b.Offset > c.Size || b.Size > c.Size-b.Offset {
			return fmt.Errorf("blobs[%d]: %d bytes at %d are not between %d and %d", i, b.Size, b.Offset, end, c.Size)
		}
		end = b.Offset + b.Size
		if b.Digest == (Digest{}) {
			return fmt.Errorf("blobs[%d]: it has no digest", i)
		}
		if has[b.Digest] {
			return fmt.Errorf("blobs[%d]: %s is there twice", i, b.Digest)
		}
		has[b.Digest] = true
	}
	if len(c.Images) == 0 {
		return errors.New("images: there are none")
	}
	for i, image := range c.Images {
		if err := image.check(has); err != nil {
			return fmt.Errorf("images[%d]: %w", i, err)
		}
	}
	return nil
}

func (c ImageContents) check(has map[Digest]bool) error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	needs := []Digest{c.Digest}
	docker := false
	for _, p := range c.Platforms {
		if !isPlatform(p.Platform) {
			return fmt.Errorf("%q is not a platform", p.Platform)
		}
		docker = docker || p.Platform == c.Docker
		needs = append(needs, p.Manifest, p.Config)
		needs = append(needs, p.Layers...)
	}
	if !docker {
		return fmt.Errorf("docker: %q is not among the platforms", c.Docker)
	}
	for _, d := range needs {
		if !has[d] {
			return fmt.Errorf("%s is not among the blobs", d)
		}
	}
	return nil
}
