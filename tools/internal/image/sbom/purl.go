package sbom

import (
	"path"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/package-url/packageurl-go"
)

// kubernetes is the path of upstream's main module.
const kubernetes = "k8s.io/kubernetes"

// goPURL returns the package URL of a Go package in a module, or of a module if the
// package is "". Scanners compare the paths of modules with case.
func goPURL(module, version, pkg string) string {
	p := packageurl.PackageURL{Type: packageurl.TypeGolang, Namespace: path.Dir(module), Name: path.Base(module), Version: version}
	if p.Namespace == "." {
		p.Namespace = ""
	}
	p.Subpath = strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
	return p.ToString()
}

// purl returns the package URL of a program.
func (p Program) purl() string {
	switch main := p.mainModule(); {
	case p.Source == versions.KindGoBuild && main != "":
		return goPURL(main, "", p.Info.Path)
	case p.Source == versions.KindRelease && main == kubernetes:
		return goPURL(kubernetes, p.Pin.Version.String(), p.Info.Path)
	}
	// Neither the module nor the package is certain.
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", p.Pin.File, p.Pin.Version.String(), packageurl.QualifiersFromMap(map[string]string{
		"checksum": "sha256:" + p.Pin.SHA256.String(), "download_url": p.Pin.URL,
	}), "").ToString()
}

// cpe returns the name of a program in vulnerability databases, "" for a program of
// this repository.
func (p Program) cpe() string {
	if p.Pin.Version == (versions.Version{}) {
		return ""
	}
	return cpe("kubernetes", "kubernetes", strings.TrimPrefix(p.Pin.Version.String(), "v"))
}

func cpe(vendor, product, version string) string {
	return "cpe:2.3:a:" + vendor + ":" + product + ":" + version + ":*:*:*:*:*:*:*"
}

// purl returns the package URL of a Debian package. Scanners read the source package,
// by which Debian tracks vulnerabilities, from the qualifier upstream.
func (p Package) purl() string {
	qualifiers := map[string]string{"arch": p.Architecture, "distro": p.Suite}
	switch {
	case p.SourceVersion != p.Version:
		qualifiers["upstream"] = p.SourceName + "@" + p.SourceVersion
	case p.SourceName != p.Name:
		qualifiers["upstream"] = p.SourceName
	}
	return packageurl.NewPackageURL(packageurl.TypeDebian, "debian", p.Name, p.Version, packageurl.QualifiersFromMap(qualifiers), "").ToString()
}

// ociPURL returns the package URL of an image. It has no registry: an image has the
// same document wherever it is pushed.
func ociPURL(repository, digest string, qualifiers map[string]string) string {
	return packageurl.NewPackageURL(packageurl.TypeOCI, "", path.Base(repository), digest, packageurl.QualifiersFromMap(qualifiers), "").ToString()
}
