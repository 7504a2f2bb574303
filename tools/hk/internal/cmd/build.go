package cmd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// built is the result of a build.
type built struct {
	Image string `json:"image"`
	record.Record
	Status string `json:"record"` // matches, mismatch, missing or added
}

func newBuild(env cli.Env) *cobra.Command {
	var out string
	var platform versions.Platform
	var add bool
	c := &cobra.Command{
		Use:   "build IMAGE -o DIR",
		Short: "Build an image without Bazel",
		Long: `Build writes the OCI layout of an image and compares its digests with those on
record in images/digests.json. The exit code is 3 if they differ.`,
		Example: `  # Build an image of the default flavor for all its platforms.
  hk build v1.36.0 -o layout

  # Build one platform of another flavor.
  hk build rke:v1.36.0-rancher1 -o layout --platform linux/amd64`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeImage(env),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case out == "":
				return cli.Usage("-o: want a directory to write to")
			case add && platform != (versions.Platform{}):
				return cli.Usage("--record: want all platforms, got --platform %s", platform)
			}
			b, err := catalog.Open(env)
			if err != nil {
				return err
			}
			if add && b.Root == "" {
				return cli.Usage("--record: %w", errNoCheckout)
			}
			image, err := b.Catalog.Image(args[0])
			if err != nil {
				return cli.Usage("%w", err)
			}
			r, err := b.Build(c.Context(), image, platform, out)
			if r.Manifests == nil {
				return err
			}
			result := built{image.Name(), r, "matches"}
			_, recorded := b.Records[image.Name()]
			switch {
			case err != nil:
				result.Status = "mismatch"
			case !recorded && add:
				result.Status, err = "added", record.Add(c.Context(), b.Root, image.Name(), r)
			case !recorded:
				result.Status = "missing"
			}
			return errors.Join(err, printResult(c, result, func(w io.Writer, b built) { b.print(w, env.Err) }))
		},
	}
	fs := c.Flags()
	fs.StringVarP(&out, "output", "o", "", "the `directory` to write the OCI layout to")
	fs.BoolVar(&add, "record", false, "add the digests of an image that is not on record to "+record.File)
	platformFlag(c, &platform, "build for this `platform` only, like linux/amd64")
	jsonFlag(c)
	return c
}

func (b built) print(out, log io.Writer) {
	for _, platform := range slices.Sorted(maps.Keys(b.Manifests)) {
		fmt.Fprintf(out, "%s %s manifest %s\n", b.Image, platform, b.Manifests[platform])
	}
	if b.Index != "" {
		fmt.Fprintf(out, "%s index %s\n", b.Image, b.Index)
	}
	switch b.Status {
	case "matches":
		fmt.Fprintf(log, "hk: %s matches its record in %s\n", b.Image, record.File)
	case "missing":
		fmt.Fprintf(log, "hk: %s is not on record in %s, so its digests were not compared; --record adds them\n", b.Image, record.File)
	}
}
