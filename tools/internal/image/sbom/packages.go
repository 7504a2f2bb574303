package sbom

import (
	"maps"
	"path"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/slsa"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const (
	hyperkube   = "hyperkube"
	upstream    = "The Kubernetes Authors"
	mainLicense = "Apache-2.0" // of Kubernetes and of this repository
)

// image adds an image or an index.
func (d *document) image(image versions.Image, digest, platform string, qualifiers map[string]string) string {
	q := map[string]string{"tag": image.Tag}
	maps.Copy(q, qualifiers)
	purl := ociPURL(image.Flavor.Repository, digest, q)
	return d.add(v2_3.Package{
		PackageName: strings.TrimSpace(image.Flavor.Repository + " " + platform), PackageVersion: image.Tag,
		PackageSupplier: organization(hyperkube), PrimaryPackagePurpose: "CONTAINER",
		PackageChecksums: sha256Of(strings.TrimPrefix(digest, "sha256:")), PackageExternalReferences: refs(purl, ""),
	}, purl)
}

// platform adds an image for one platform, and everything in it.
func (d *document) platform(image versions.Image, p Platform) string {
	id := d.image(image, p.Digest, p.Platform.String(), map[string]string{"arch": p.Platform.Arch(), "os": p.Platform.OS()})
	if p.Base != (versions.BasePin{}) {
		d.relate(id, common.TypeRelationshipContains, d.base(p.Base))
	}
	for _, program := range p.Programs {
		d.relate(id, common.TypeRelationshipContains, d.program(program))
	}
	for _, f := range p.Files {
		d.relate(id, common.TypeRelationshipContains, d.file(f))
	}
	for _, pkg := range p.Packages {
		d.relate(id, common.TypeRelationshipContains, d.debian(pkg))
	}
	return id
}

// base adds a base image. Its files are not in the lock.
func (d *document) base(pin versions.BasePin) string {
	name := pin.Image.Repository()
	purl := ociPURL(name, "sha256:"+pin.SHA256.String(), map[string]string{"arch": pin.Platform.Arch(), "os": pin.Platform.OS(), "repository_url": name})
	return d.add(v2_3.Package{
		PackageName: name, PackageVersion: "sha256:" + pin.SHA256.String(), PrimaryPackagePurpose: "CONTAINER",
		PackageComment:   "The base image. Its contents are not analyzed.",
		PackageChecksums: sha256Of(pin.SHA256.String()), PackageExternalReferences: refs(purl, ""),
	}, purl)
}

func (d *document) file(f File) string {
	return d.add(v2_3.Package{
		PackageName: path.Base(f.Path), PackageVersion: "sha256:" + f.SHA256.String(), PackageFileName: f.Path,
		PackageSupplier: organization(hyperkube), PackageLicenseDeclared: mainLicense, PrimaryPackagePurpose: "FILE",
		PackageChecksums: sha256Of(f.SHA256.String()),
	}, f.Path+f.SHA256.String())
}

// program adds a program, and the modules and the standard library that it is linked
// from.
func (d *document) program(p Program) string {
	spdx := v2_3.Package{
		PackageName: p.Pin.File, PackageVersion: p.Pin.Version.String(), PackageFileName: p.Path,
		PackageSupplier: organization(upstream), PackageDownloadLocation: p.Pin.URL,
		PackageLicenseDeclared: mainLicense, PrimaryPackagePurpose: "APPLICATION",
		PackageChecksums: sha256Of(p.Pin.SHA256.String()), PackageExternalReferences: refs(p.purl(), p.cpe()),
	}
	switch p.Source {
	case versions.KindArchive:
		spdx.PackageSupplier = nil
		spdx.PackageSourceInfo = "member " + p.Pin.Member + " of the archive with sha256 " + p.Pin.Archive.String()
	case versions.KindGoBuild:
		// The repository has no versions of its programs: the digest identifies one.
		spdx.PackageVersion = "sha256:" + p.Pin.SHA256.String()
		spdx.PackageSupplier = organization(hyperkube)
		spdx.PackageDownloadLocation = "git+" + slsa.Repository
	}
	modules, toolchain := p.modules(), p.toolchain()
	if revision := setting(p.Info, "vcs.revision"); revision != "" {
		spdx.PackageSourceInfo = "built from commit " + revision + " with go" + toolchain
	} else if toolchain != "" && spdx.PackageSourceInfo == "" {
		spdx.PackageSourceInfo = "built with go" + toolchain
	}
	if p.Info == nil || p.Info.Main.Path == "" {
		spdx.PackageComment = "The file has no build information with modules: those that it is linked from are unknown."
	}
	id := d.add(spdx, p.Path+p.Pin.SHA256.String())
	for _, m := range modules {
		d.relate(id, common.TypeRelationshipDependsOn, d.module(m))
	}
	if toolchain != "" {
		purl := goPURL("stdlib", toolchain, "")
		d.relate(id, common.TypeRelationshipDependsOn, d.add(v2_3.Package{
			PackageName: "stdlib", PackageVersion: "go" + toolchain, PackageSupplier: organization("The Go Authors"),
			PackageLicenseDeclared: "BSD-3-Clause", PrimaryPackagePurpose: "LIBRARY",
			PackageExternalReferences: refs(purl, cpe("golang", "go", toolchain)),
		}, purl))
	}
	return id
}

func (d *document) module(m module) string {
	purl := goPURL(m.path, m.version, "")
	spdx := v2_3.Package{
		PackageName: m.path, PackageVersion: m.version, PrimaryPackagePurpose: "LIBRARY",
		PackageExternalReferences: refs(purl, ""),
	}
	switch {
	case m.kubernetes:
		spdx.PackageSupplier, spdx.PackageLicenseDeclared = organization(upstream), mainLicense
	case strings.HasPrefix("https://"+m.path+"/", slsa.Repository+"/"):
		spdx.PackageSupplier, spdx.PackageLicenseDeclared = organization(hyperkube), mainLicense
	}
	return d.add(spdx, purl)
}

func (d *document) debian(p Package) string {
	purl := p.purl()
	return d.add(v2_3.Package{
		PackageName: p.Name, PackageVersion: p.Version, PackageSupplier: organization("Debian"),
		PackageDownloadLocation: p.URL, PackageHomePage: p.Homepage, PrimaryPackagePurpose: "INSTALL",
		PackageSourceInfo:      "built from the source package " + p.SourceName + " " + p.SourceVersion,
		PackageLicenseComments: "The licenses are in the image, in /usr/share/doc/" + p.Name + "/copyright.",
		PackageChecksums:       sha256Of(p.SHA256.String()), PackageExternalReferences: refs(purl, ""),
	}, purl)
}

func organization(name string) *common.Supplier {
	return &common.Supplier{SupplierType: "Organization", Supplier: name}
}

func sha256Of(value string) []common.Checksum {
	return []common.Checksum{{Algorithm: common.SHA256, Value: value}}
}

func refs(purl, cpe string) []*v2_3.PackageExternalReference {
	all := []*v2_3.PackageExternalReference{{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl}}
	if cpe != "" {
		all = append(all, &v2_3.PackageExternalReference{Category: common.CategorySecurity, RefType: common.TypeSecurityCPE23Type, Locator: cpe})
	}
	return all
}
