package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/image/verify"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// verified is a file or symlink that matches the manifest and the lock.
type verified struct {
	Platform string `json:"platform"`
	Path     string `json:"path"`
	Content  string `json:"content"` // the key of the file, or the target of the symlink
}

func newVerify(env cli.Env) *cobra.Command {
	var dir, digests string
	var baseFlags []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify IMAGE --layout DIR",
		Short: "Verify every byte of a built image against the manifest, the lock and its record",
		Long: `Verify checks the OCI layout of an image, or of one of its platforms: the digest
of every blob, the sha256, owner and mode of every file, the versions that the binaries
report, and the digests on record. It shares no code with the builders.

An image with a base image needs the layout of the base for each platform; hk fetch
--base writes it. The exit code is 3 if the image has a violation.`,
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
			bases, err := parseBases(baseFlags)
			if err != nil {
				return cli.Usage("--base: %w", err)
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
				if d.Records, err = readRecords(digests); err != nil {
					return err
				}
			}
			resolved, remove, err := layout.Dereference(c.Context(), dir)
			if err != nil {
				return err
			}
			defer remove()
			for platform, dir := range bases {
				base, remove, err := layout.Dereference(c.Context(), dir)
				if err != nil {
					return err
				}
				defer remove()
				bases[platform] = base
			}
			findings, err := verify.Layout(c.Context(), resolved, image, d.Records, bases)
			if err != nil {
				if c.Context().Err() == nil {
					err = cli.Exit(cli.ExitDrift, err)
				}
				return err
			}
			files := []verified{}
			for _, f := range findings {
				files = append(files, verified{f.Platform.String(), f.Path, f.Content})
			}
			if asJSON {
				return writeJSON(env.Out, files)
			}
			for _, f := range files {
				fmt.Fprintf(env.Out, "%s %s %s\n", f.Platform, f.Path, f.Content)
			}
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVar(&dir, "layout", "", "the `directory` of the OCI layout")
	fs.StringVar(&digests, "digests", "", "the `file` with the digests on record, in place of "+record.File)
	fs.StringArrayVar(&baseFlags, "base", nil, "`PLATFORM=DIR`, the OCI layout of the base image for a platform; repeatable")
	jsonFlag(c, &asJSON)
	return c
}

func parseBases(args []string) (map[versions.Platform]string, error) {
	bases := map[versions.Platform]string{}
	for _, arg := range args {
		name, dir, _ := strings.Cut(arg, "=")
		platform, err := versions.ParsePlatform(name)
		if dir == "" {
			err = errors.Join(err, fmt.Errorf("want PLATFORM=DIR, got %q", arg))
		}
		if err != nil {
			return nil, err
		}
		bases[platform] = dir
	}
	return bases, nil
}

func readRecords(file string) (record.Records, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading digests: %w", err)
	}
	return record.Parse(raw)
}
