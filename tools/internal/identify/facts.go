package identify

import "github.com/hyperkube/hyperkube/versions"

// Facts are what the bytes of a file say about it.
type Facts struct {
	Size   int64           `json:"size"`
	SHA256 versions.Digest `json:"sha256"`
	Format Format          `json:"format"`
	// FullSize is the size of an ELF file by its headers. A smaller file is truncated.
	FullSize int64    `json:"fullSize,omitempty"`
	Program  *Program `json:"program,omitempty"`
}

// Truncated reports whether the end of the file is missing.
func (f Facts) Truncated() bool { return f.Size < f.FullSize }

// Program has the metadata of an executable. All fields may be empty.
type Program struct {
	Platform      string `json:"platform,omitempty"`      // "linux/amd64", "windows/amd64"
	Package       string `json:"package,omitempty"`       // "k8s.io/kubernetes/cmd/kubelet"
	Module        string `json:"module,omitempty"`        // "k8s.io/kubernetes"
	ModuleVersion string `json:"moduleVersion,omitempty"` // "(devel)"
	Version       string `json:"version,omitempty"`       // set by the linker: "v1.36.0"
	BuildDate     string `json:"buildDate,omitempty"`     // set by the linker: "2026-04-22T13:54:03Z"
	Go            string `json:"go,omitempty"`            // "go1.26.2"
}
