package cmd

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/verify"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newVerify(env cli.Env) *cobra.Command {
	var dir, digests, debs string
	bases := map[versions.Platform]string{}
	c := &cobra.Command{
		Use:   "verify IMAGE --layout DIR",
		Short: "Verify every byte of a built image against the manifest, the lock and its record",
		Long: `Verify checks the OCI layout of an image, or of one of its platforms: the digest
of every blob, the sha256, owner and mode of every file, the versions that the binaries
report, and the digests on record. It shares no code with the builders, but for layers
of Debian packages, which it composes again from the packages.

An image with a base image needs the layout of the base for each platform; hk fetch
--base writes it. Debian packages come from the store, and are fetched if missing. The exit code is 3 if the image has a violation, and 1 if a check was
not possible, for example after an I/O error.`,
		Example: `  # Verify an image that hk build or Bazel wrote.
  hk verify hyperkube:v1.36.0 --layout layout

  # Verify an image with a base image.
  hk verify debug:v1.36.0 --layout layout --base linux/amd64=base`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeImage(env),
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				return cli.Usage("--layout: want the directory of an OCI layout")
			}
			d, err := checkout.Open(env.Dir)
			if err != nil {
				return err
			}
			image, err := d.Catalog.Image(args[0])
			if err != nil {
				return cli.Usage("%w", err)
			}
			if digests != "" {
				raw, err := ctxio.ReadFile(c.Context(), digests, record.MaxSize)
				if err != nil {
					return fmt.Errorf("reading digests: %w", err)
				}
				if d.Records, err = record.Parse(raw); err != nil {
					return err
				}
			}
			for _, dir := range append(slices.Collect(maps.Values(bases)), dir) {
				if _, err := os.Stat(dir); err != nil {
					return fmt.Errorf("reading layout: %w", err)
				}
			}
			packages, err := openPackages(env, d.Catalog, debs)
			if err != nil {
				return err
			}
			findings, err := verify.Layout(c.Context(), dir, image, d.Records, bases, packages)
			if err != nil {
				if c.Context().Err() == nil && !verify.Incomplete(err) {
					err = cli.Exit(cli.ExitDrift, err)
				}
				return err
			}
			return printResult(c, findings, printFindings)
		},
	}
	fs := c.Flags()
	fs.StringVar(&dir, "layout", "", "the `directory` of the OCI layout")
	fs.StringVar(&digests, "digests", "", "the `file` with the digests on record, in place of "+record.File)
	fs.Func("base", "`PLATFORM=DIR`, the OCI layout of the base image for a platform; repeatable", func(s string) error {
		name, dir, _ := strings.Cut(s, "=")
		if dir == "" {
			return fmt.Errorf("want PLATFORM=DIR, got %q", s)
		}
		platform, err := versions.ParsePlatform(name)
		bases[platform] = dir
		return err
	})
	fs.StringVar(&debs, "packages", "", "a `directory` with the Debian packages, in place of the store")
	jsonFlag(c)
	return c
}

// openPackages returns an opener of the Debian packages below a directory, or of those
// in the store.
func openPackages(env cli.Env, c *versions.Catalog, dir string) (packagelayer.Opener, error) {
	if dir != "" {
		return packagelayer.Dir(dir), nil
	}
	f, err := fetch.New(env, c)
	if err != nil {
		return nil, err
	}
	return f.OpenPackage, nil
}

func printFindings(w io.Writer, findings []verify.Finding) {
	for _, f := range findings {
		fmt.Fprintf(w, "%s %s %s\n", f.Platform, f.Path, f.Content)
	}
}
