// Package sbom composes the software bill of materials of an image: SPDX 2.3 or
// CycloneDX 1.6 in JSON, from the pins of its files, the build information of its
// programs and the control files of its Debian packages. Equal images have equal
// documents, byte by byte.
package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/slsa"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// MediaType is the media type of a document.
const MediaType = "application/spdx+json"

// Platform is an image for one platform.
type Platform struct {
	Digest string // "sha256:…" of the manifest
	Contents
}

// Format is a format of documents.
type Format string

// The formats of documents, both in JSON.
const (
	SPDX      Format = "spdx"      // SPDX 2.3
	CycloneDX Format = "cyclonedx" // CycloneDX 1.6
)

// Document returns the document of an image for one platform, or that of an index of
// several platforms if the digest of the index is not "".
func Document(format Format, image versions.Image, index string, platforms []Platform) ([]byte, error) {
	d := document{seen: map[common.ElementID]bool{}}
	top := ""
	if index != "" {
		top = d.image(image, index, "", nil)
		d.relate("DOCUMENT", common.TypeRelationshipDescribe, top)
	}
	var all []Contents
	for _, p := range platforms {
		id := d.platform(image, p)
		if index != "" {
			d.relate(id, common.TypeRelationshipVariantOf, top)
		} else {
			d.relate("DOCUMENT", common.TypeRelationshipDescribe, id)
		}
		all = append(all, p.Contents)
	}
	name, digest := image.Name(), index
	if index == "" {
		name, digest = name+" "+platforms[0].Platform.String(), platforms[0].Digest
	}
	doc, err := d.finish(name, digest, created(all))
	if err == nil && format == CycloneDX {
		return cycloneDX(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("composing the SBOM of %s: %w", name, err)
	}
	return encode(doc)
}

// document is a document in the making.
type document struct {
	packages  []*v2_3.Package
	relations []*v2_3.Relationship
	seen      map[common.ElementID]bool
}

// add adds a package unless there is one with its ID, and returns the ID. Its ID has a
// hash of what distinguishes the package, because the alphabet of IDs is small.
func (d *document) add(p v2_3.Package, unique string) string {
	sum := sha256.Sum256([]byte(unique))
	p.PackageSPDXIdentifier = common.ElementID(idString(p.PackageName) + "-" + hex.EncodeToString(sum[:8]))
	if !d.seen[p.PackageSPDXIdentifier] {
		d.seen[p.PackageSPDXIdentifier] = true
		p.PackageDownloadLocation = cmp.Or(p.PackageDownloadLocation, noAssertion)
		p.PackageLicenseConcluded = noAssertion
		p.PackageLicenseDeclared = cmp.Or(p.PackageLicenseDeclared, noAssertion)
		p.PackageCopyrightText = noAssertion
		d.packages = append(d.packages, &p)
	}
	return string(p.PackageSPDXIdentifier)
}

const noAssertion = "NOASSERTION"

// idString replaces the characters that an ID cannot have.
func idString(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, s)
}

func (d *document) relate(from, relation, to string) {
	d.relations = append(d.relations, &v2_3.Relationship{
		RefA: common.MakeDocElementID("", from), RefB: common.MakeDocElementID("", to), Relationship: relation,
	})
}

// finish sorts packages and relationships, and returns the document. Its namespace has
// a hash of the document, because a namespace is that of one document only.
func (d *document) finish(name, digest string, created time.Time) (v2_3.Document, error) {
	slices.SortFunc(d.packages, func(a, b *v2_3.Package) int {
		return cmp.Compare(a.PackageSPDXIdentifier, b.PackageSPDXIdentifier)
	})
	slices.SortFunc(d.relations, func(a, b *v2_3.Relationship) int {
		return cmp.Or(cmp.Compare(a.RefA.ElementRefID, b.RefA.ElementRefID), cmp.Compare(a.Relationship, b.Relationship), cmp.Compare(a.RefB.ElementRefID, b.RefB.ElementRefID))
	})
	d.relations = slices.CompactFunc(d.relations, func(a, b *v2_3.Relationship) bool { return *a == *b })
	doc := v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: name,
		DocumentComment: "Composed from the lock, the build information of the programs and the control files of the Debian packages. " +
			"The time of creation is that of the newest commit that a program was built from.",
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Organization", Creator: "hyperkube"}, {CreatorType: "Tool", Creator: "hk"}},
			Created:  created.Format(time.RFC3339),
		},
		Packages: d.packages, Relationships: d.relations,
	}
	raw, err := encode(doc)
	sum := sha256.Sum256(raw)
	doc.DocumentNamespace = slsa.Repository + "/sbom/" + strings.ReplaceAll(digest, ":", "/") + "/" + hex.EncodeToString(sum[:16])
	return doc, err
}

func encode(doc v2_3.Document) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(doc)
	return b.Bytes(), err
}
