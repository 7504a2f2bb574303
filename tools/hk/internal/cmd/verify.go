package cmd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/hyperkube/hyperkube/tools/internal/image/inspect"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/verify"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// verifyFlags are the flags of hk verify.
type verifyFlags struct {
	layout, digests, packages string
	bases                     map[versions.Platform]string
	platform                  versions.Platform
	all                       bool
}

func newVerify(env cli.Env) *cobra.Command {
	v := verifyFlags{bases: map[versions.Platform]string{}}
	c := &cobra.Command{
		Use:   "verify REFERENCE|LAYOUT|ARCHIVE, or verify IMAGE --layout DIR",
		Short: "Verify the binaries of any image, or every byte of an image of this repository",
		Long: `Verify reads an image from a registry, an OCI layout or a saved archive, and looks up
every file of every layer in the lock: path, size, sha256, version, binary, platform,
rebuild from source, and whether the digests of the image are on record. It works on
images that others built, and verifies the digest of every blob. A binary of Kubernetes
that is not in the lock is a violation, and so is one for another platform, or an
image without any file of the lock. Other files are counted; --all lists them.

REFERENCE has the registry, and a tag or a digest. ARCHIVE is a tar of docker save,
podman save or hk save, which may be compressed.

With --layout, verify checks the OCI layout of the IMAGE of this repository, or of one of
its platforms: the digest of every blob, the sha256, owner and mode of every file, the
versions that the binaries report, and the digests on record. It shares no code with the
builders, but for layers of Debian packages, which it composes again from the packages.
They come from the store, and are fetched if missing. An image with a base image needs
the layout of the base for each platform; hk fetch --base writes it.

The exit code is 3 if there is a violation, and 1 if a check was not possible, for
example after an I/O error.`,
		Example: `  # Verify an image in a registry.
  hk verify registry.example/rke:v1.36.0-rancher1

  # Verify a saved archive, and list the violations.
  hk verify node.tar --json | jq -r '.images[].violations[]'

  # Verify an image that hk build or Bazel wrote.
  hk verify hyperkube:v1.36.0 --layout layout

  # Verify an image with a base image.
  hk verify debug:v1.36.0 --layout layout --base linux/amd64=base`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeImage(env),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := checkout.Open(env.Dir)
			if err != nil {
				return err
			}
			if v.digests != "" {
				raw, err := ctxio.ReadFile(c.Context(), v.digests, record.MaxSize)
				if err != nil {
					return fmt.Errorf("reading digests: %w", err)
				}
				if d.Records, err = record.Parse(raw); err != nil {
					return err
				}
			}
			if v.layout != "" {
				return v.verifyLayout(c, env, d, args[0])
			}
			return v.inspect(c, d, args[0])
		},
	}
	fs := c.Flags()
	fs.StringVar(&v.layout, "layout", "", "the `directory` of the OCI layout of an image of this repository")
	fs.StringVar(&v.digests, "digests", "", "the `file` with the digests on record, in place of "+record.File)
	fs.Func("base", "`PLATFORM=DIR`, the OCI layout of the base image for a platform, with --layout; repeatable", func(s string) error {
		name, dir, _ := strings.Cut(s, "=")
		if dir == "" {
			return fmt.Errorf("want PLATFORM=DIR, got %q", s)
		}
		platform, err := versions.ParsePlatform(name)
		v.bases[platform] = dir
		return err
	})
	fs.StringVar(&v.packages, "packages", "", "a `directory` with the Debian packages, in place of the store, with --layout")
	fs.BoolVarP(&v.all, "all", "v", false, "list all files, without --layout")
	platformFlag(c, &v.platform, "verify this `platform` only, without --layout")
	jsonFlag(c)
	return c
}

// verifyLayout verifies an image of this repository.
func (v verifyFlags) verifyLayout(c *cobra.Command, env cli.Env, d checkout.Data, name string) error {
	if v.all || v.platform != (versions.Platform{}) {
		return cli.Usage("--layout: want neither --all nor --platform with it")
	}
	image, err := d.Catalog.Image(name)
	if err != nil {
		return cli.Usage("%w", err)
	}
	for _, dir := range append(slices.Collect(maps.Values(v.bases)), v.layout) {
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("reading layout: %w", err)
		}
	}
	packages, err := openPackages(env, d.Catalog, v.packages)
	if err != nil {
		return err
	}
	findings, err := verify.Layout(c.Context(), v.layout, image, d.Records, v.bases, packages)
	if err != nil {
		if c.Context().Err() == nil && !verify.Incomplete(err) {
			err = cli.Exit(cli.ExitDrift, err)
		}
		return err
	}
	return printResult(c, findings, printFindings)
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

// inspect verifies the binaries of any image.
func (v verifyFlags) inspect(c *cobra.Command, d checkout.Data, name string) error {
	if len(v.bases) > 0 || v.packages != "" {
		return cli.Usage("--base and --packages: want --layout with them")
	}
	index, err := identify.New(d, time.Now())
	if err != nil {
		return err
	}
	o := inspect.Options{Index: index, Platform: v.platform, All: v.all}
	read := inspect.Registry
	switch info, err := os.Stat(name); {
	case err == nil && info.IsDir():
		read = inspect.Layout
	case err == nil:
		read = inspect.Archive
	default:
		// Clients complete a name without a registry with a public one.
		if _, err := d.Catalog.Image(name); err == nil || !strings.Contains(name, "/") {
			return cli.Usage("--layout: want the layout of %q; or a reference with its registry, a layout or an archive in place of it", name)
		}
	}
	report, err := read(c.Context(), name, o)
	if err != nil {
		if c.Context().Err() == nil && inspect.IsViolation(err) {
			err = cli.Exit(cli.ExitDrift, err)
		}
		return err
	}
	if err := printResult(c, report, printReport); err != nil {
		return err
	}
	var errs []error
	for _, text := range report.Violations() {
		errs = append(errs, errors.New(text))
	}
	if len(errs) > 0 {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("verifying %s: violations:\n%w", name, errors.Join(errs...)))
	}
	return nil
}
