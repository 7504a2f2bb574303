package cmd

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// version describes the program and the data that it uses.
type version struct {
	Version  string `json:"version"` // of the module; without a tag it has the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`

	Checkout string     `json:"checkout,omitempty"` // absolute path; "" for embedded data
	Files    []dataFile `json:"files"`
	Releases int        `json:"releases"`
	Flavors  int        `json:"flavors"`
	Images   int        `json:"images"`
}

type dataFile struct {
	Path   string `json:"path"` // from the root of the repository
	SHA256 string `json:"sha256"`
}

func newVersion(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of hk and of its manifest and lock",
		Long: `Version prints the version of hk, and whether it uses the manifest, the lock and the
records of a checkout or the embedded ones, with their sha256.`,
		Example: `  # Print the version.
  hk version

  # Print the sha256 of the lock.
  hk version --json | jq -r '.files[] | select(.path == "versions/lock.json").sha256'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := checkout.Open(env.Dir)
			if err != nil {
				return err
			}
			v, err := describe(d)
			if err != nil {
				return err
			}
			return printResult(c, v, printVersion)
		},
	}
	jsonFlag(c)
	return c
}

func describe(d checkout.Data) (version, error) {
	v := version{
		Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Checkout: d.Root,
		Releases: len(d.Catalog.Manifest.Releases), Flavors: len(d.Catalog.Manifest.Flavors), Images: len(d.Catalog.Images),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = info.Main.Version
	}
	for _, name := range []string{versions.ManifestFile, versions.LockFile, record.File} {
		raw, err := d.ReadFile(name)
		if err != nil {
			return v, err
		}
		v.Files = append(v.Files, dataFile{name, fmt.Sprintf("%x", sha256.Sum256(raw))})
	}
	return v, nil
}

func printVersion(w io.Writer, v version) {
	fmt.Fprintf(w, "hk %s %s %s\n", v.Version, v.Platform, v.Go)
	fmt.Fprintf(w, "data %s\n", cmp.Or(v.Checkout, "embedded"))
	for _, f := range v.Files {
		fmt.Fprintf(w, "  %s sha256:%s\n", f.Path, f.SHA256)
	}
	fmt.Fprintf(w, "%d releases, %d flavors, %d images\n", v.Releases, v.Flavors, v.Images)
}
