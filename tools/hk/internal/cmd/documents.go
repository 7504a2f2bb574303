package cmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/sbom"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newSBOM(env cli.Env) *cobra.Command {
	var format string
	formats := []string{string(sbom.SPDX), string(sbom.CycloneDX)}
	c := newDocument(env, &cobra.Command{
		Use:   "sbom IMAGE",
		Short: "Write the software bill of materials of an image",
		Long: `Sbom writes a document in JSON, SPDX 2.3 or CycloneDX 1.6: every Kubernetes binary with
its version, sha256, package URL, CPE, Go toolchain and modules, every Debian package
with its source package, and the programs of this repository. Equal images have equal
documents.

The digests come from images/digests.json. An image that is not on record is built. The
files come from the store; missing ones are fetched. See docs/sbom.md.`,
		Example: `  # The document of an image for one platform.
  hk sbom hyperkube:v1.36.0 --platform linux/amd64 -o sbom.spdx.json

  # List the package URLs in all platforms of an image.
  hk sbom rke:v1.36.0-rancher1 | jq -r '.packages[].externalRefs[].referenceLocator'`,
		PreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains(formats, format) {
				return cli.Usage("--format: want spdx or cyclonedx, got %q", format)
			}
			return nil
		},
	}, func(b *catalog.Builder, ctx context.Context, image versions.Image, platform versions.Platform) ([]byte, error) {
		return b.SBOM(ctx, sbom.Format(format), image, platform)
	})
	c.Flags().StringVar(&format, "format", formats[0], "the `format`: spdx (SPDX 2.3) or cyclonedx (CycloneDX 1.6), both in JSON")
	completeFixed(c, "format", formats)
	return c
}

func newProvenance(env cli.Env) *cobra.Command {
	return newDocument(env, &cobra.Command{
		Use:   "provenance IMAGE",
		Short: "Write the SLSA provenance of an image",
		Long: `Provenance writes an in-toto statement with a SLSA v1 predicate: the digest of the
image, the URL and sha256 of every file that it was built from, and the recorded results
of rebuilding its binaries from source. It is not signed.

The digests come from images/digests.json. An image that is not on record is built. See
docs/sbom.md.`,
		Example: `  # The statement about the index of an image.
  hk provenance hyperkube:v1.36.0 -o provenance.json

  # Which binaries were rebuilt from source?
  hk provenance v1.36.0 --platform linux/arm64 | jq '.predicate.runDetails.byproducts'`,
	}, (*catalog.Builder).Provenance)
}

// newDocument completes a command that writes a document about an image.
func newDocument(env cli.Env, c *cobra.Command, compose func(*catalog.Builder, context.Context, versions.Image, versions.Platform) ([]byte, error)) *cobra.Command {
	var out string
	var platform versions.Platform
	c.Args, c.ValidArgsFunction = cobra.ExactArgs(1), completeImage(env)
	c.RunE = func(c *cobra.Command, args []string) error {
		b, err := catalog.Open(env)
		if err != nil {
			return err
		}
		image, err := b.Catalog.Image(args[0])
		if err != nil {
			return cli.Usage("%w", err)
		}
		document, err := compose(b, c.Context(), image, platform)
		if err != nil {
			return err
		}
		if out == "" {
			_, err = c.OutOrStdout().Write(document)
		} else if err = atomic.WriteFile(out, document); err != nil {
			err = fmt.Errorf("writing %q: %w", out, err)
		}
		return err
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the `file` to write; default: standard output")
	platformFlag(c, &platform, "the `platform`, like linux/amd64; default: the index of all platforms")
	return c
}
