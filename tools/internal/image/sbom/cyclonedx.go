package sbom

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// componentTypes maps the purposes of packages in SPDX.
var componentTypes = map[string]cdx.ComponentType{
	"APPLICATION": cdx.ComponentTypeApplication, "CONTAINER": cdx.ComponentTypeContainer,
	"FILE": cdx.ComponentTypeFile, "INSTALL": cdx.ComponentTypeLibrary, "LIBRARY": cdx.ComponentTypeLibrary,
}

// cycloneDX returns an SPDX document in CycloneDX, whose subject is the component of the
// metadata.
func cycloneDX(doc v2_3.Document) ([]byte, error) {
	top := ""
	needs := map[string][]string{}
	for _, r := range doc.Relationships {
		from, to := string(r.RefA.ElementRefID), string(r.RefB.ElementRefID)
		switch r.Relationship {
		case common.TypeRelationshipDescribe:
			top = to
		case common.TypeRelationshipVariantOf: // an image is part of the index
			needs[to] = append(needs[to], from)
		default:
			needs[from] = append(needs[from], to)
		}
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = serialNumber(path.Base(doc.DocumentNamespace))
	bom.Metadata = &cdx.Metadata{
		Timestamp: doc.CreationInfo.Created,
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "hk"}}},
	}
	var components []cdx.Component
	var dependencies []cdx.Dependency
	for _, p := range doc.Packages {
		c := component(p)
		if c.BOMRef == top {
			bom.Metadata.Component = &c
		} else {
			components = append(components, c)
		}
		d := cdx.Dependency{Ref: c.BOMRef}
		if list := needs[c.BOMRef]; len(list) > 0 {
			slices.Sort(list)
			d.Dependencies = &list
		}
		dependencies = append(dependencies, d)
	}
	bom.Components, bom.Dependencies = &components, &dependencies
	var b bytes.Buffer
	if err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("composing the SBOM of %s: %w", doc.DocumentName, err)
	}
	return b.Bytes(), nil
}

func component(p *v2_3.Package) cdx.Component {
	c := cdx.Component{
		BOMRef: string(p.PackageSPDXIdentifier), Type: componentTypes[p.PrimaryPackagePurpose], Name: p.PackageName, Version: p.PackageVersion,
		Description: p.PackageComment,
	}
	if p.PackageSupplier != nil {
		c.Supplier = &cdx.OrganizationalEntity{Name: p.PackageSupplier.Supplier}
	}
	if len(p.PackageChecksums) > 0 {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.PackageChecksums[0].Value}}
	}
	if p.PackageLicenseDeclared != noAssertion {
		c.Licenses = &cdx.Licenses{{License: &cdx.License{ID: p.PackageLicenseDeclared, Acknowledgement: cdx.LicenseAcknowledgementDeclared}}}
	}
	for _, ref := range p.PackageExternalReferences {
		switch ref.RefType {
		case common.TypePackageManagerPURL:
			c.PackageURL = ref.Locator
		case common.TypeSecurityCPE23Type:
			c.CPE = ref.Locator
		}
	}
	if p.PackageDownloadLocation != noAssertion {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: p.PackageDownloadLocation}}
	}
	var properties []cdx.Property
	for _, property := range []cdx.Property{{Name: "hyperkube:path", Value: p.PackageFileName}, {Name: "hyperkube:source", Value: p.PackageSourceInfo}} {
		if property.Value != "" {
			properties = append(properties, property)
		}
	}
	if properties != nil {
		c.Properties = &properties
	}
	return c
}

// serialNumber returns 32 hexadecimal digits as a UUID of version 8, whose bits are
// free but for six.
func serialNumber(hash string) string {
	return "urn:uuid:" + hash[:8] + "-" + hash[8:12] + "-8" + hash[13:16] + "-8" + hash[17:20] + "-" + hash[20:32]
}
