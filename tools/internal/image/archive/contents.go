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

// schema is the version of the format.
const schema = 1

// maxContents is the maximum size of the first entry in bytes. Twenty images for two
// platforms need about 30,000.
const maxContents = 8 << 20

// Contents is the table of contents at the beginning of an archive.
type Contents struct {
	Schema int             `json:"schema"`
	Size   int64           `json:"size"`   // size of the tar in bytes
	Images []ImageContents `json:"images"` // sorted by name
	Blobs  []BlobContents  `json:"blobs"`  // unique, in the order of the tar
}

// ImageContents describes an image.
type ImageContents struct {
	Name      string             `json:"name"`
	Digest    Digest             `json:"digest"`    // digest of the index, or of the manifest of a single-platform image
	Docker    string             `json:"docker"`    // platform in docker's manifest.json
	Platforms []PlatformContents `json:"platforms"` // in the order of the index
}

// PlatformContents lists the blobs of one platform of an image.
type PlatformContents struct {
	Platform string   `json:"platform"` // "linux/amd64"
	Manifest Digest   `json:"manifest"`
	Config   Digest   `json:"config"`
	Layers   []Digest `json:"layers"` // lowest first
}

// BlobContents locates a blob in the tar.
type BlobContents struct {
	Digest Digest `json:"digest"`
	Size   int64  `json:"size"`   // in bytes
	Offset int64  `json:"offset"` // of the first byte in the tar
}

// Digest is a sha256 digest. The zero value is invalid. Unmarshaling validates the
// form "sha256:HEX", since digests become part of paths.
type Digest struct{ sum versions.Digest }

const algorithm = "sha256:"

// String returns "sha256:HEX".
func (d Digest) String() string { return algorithm + d.sum.String() }

// MarshalText returns the same text as String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText parses "sha256:HEX".
func (d *Digest) UnmarshalText(text []byte) error {
	hex, ok := strings.CutPrefix(string(text), algorithm)
	if !ok {
		return fmt.Errorf("want a digest like sha256:…, got %q", text)
	}
	var err error
	d.sum, err = versions.ParseDigest(hex)
	return err
}

// ReadContents reads the contents of a compressed or uncompressed archive. It reads
// only the beginning of the file.
func ReadContents(r io.Reader) (c Contents, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading contents of archive: %w", err)
		}
	}()
	plain, err := newDecompressor(r)
	if err != nil {
		return c, err
	}
	defer plain.Close()
	t := tar.NewReader(plain)
	h, err := t.Next()
	switch {
	case err != nil:
		return c, fmt.Errorf("not a tar: %w", err)
	case h.Name != ContentsFile || h.Typeflag != tar.TypeReg:
		return c, fmt.Errorf("want file %q as first entry, got %q: not an archive of hk save", ContentsFile, h.Name)
	case h.Size > maxContents:
		return c, fmt.Errorf("%s: want at most %d bytes, got %d", ContentsFile, maxContents, h.Size)
	}
	raw := make([]byte, h.Size)
	if _, err = io.ReadFull(t, raw); err == nil {
		c, err = parseContents(raw)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", ContentsFile, err)
	}
	return c, nil
}

func parseContents(raw []byte) (c Contents, err error) {
	// Check the schema first: fields of another schema may have other types.
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return c, err
	}
	if version.Schema != schema {
		return c, fmt.Errorf("want schema %d, got %d: written by another version of hk save", schema, version.Schema)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, err
	}
	return c, c.validate()
}

// validate checks that blobs are within the file, do not overlap and include all that
// the images refer to, and that names are valid.
func (c Contents) validate() error {
	blobs := map[Digest]bool{}
	end := int64(block)
	for i, b := range c.Blobs {
		// Avoid sums, which could overflow.
		if b.Size < 0 || b.Offset < end || b.Offset > c.Size || b.Size > c.Size-b.Offset {
			return fmt.Errorf("blobs[%d]: want a range within %d to %d, got %d bytes at %d", i, end, c.Size, b.Size, b.Offset)
		}
		end = b.Offset + b.Size
		if b.Digest == (Digest{}) {
			return fmt.Errorf("blobs[%d]: missing digest", i)
		}
		if blobs[b.Digest] {
			return fmt.Errorf("blobs[%d]: duplicate digest %s", i, b.Digest)
		}
		blobs[b.Digest] = true
	}
	if len(c.Images) == 0 {
		return errors.New("want at least one image")
	}
	for i, image := range c.Images {
		if err := image.validate(blobs); err != nil {
			return fmt.Errorf("images[%d]: %w", i, err)
		}
	}
	return nil
}

func (c ImageContents) validate(blobs map[Digest]bool) error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if c.Digest == (Digest{}) {
		return errors.New("missing digest")
	}
	refs := []Digest{c.Digest}
	hasDocker := false
	for _, p := range c.Platforms {
		if !isPlatform(p.Platform) {
			return fmt.Errorf("invalid platform %q", p.Platform)
		}
		hasDocker = hasDocker || p.Platform == c.Docker
		refs = append(refs, p.Manifest, p.Config)
		refs = append(refs, p.Layers...)
	}
	if !hasDocker {
		return fmt.Errorf("docker: unknown platform %q", c.Docker)
	}
	for _, d := range refs {
		if !blobs[d] {
			return fmt.Errorf("unknown blob %s", d)
		}
	}
	return nil
}
