package cmd

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// built is the result of a build.
type built struct {
	Image     string              `json:"image"`
	Index     string              `json:"index,omitempty"`
	Manifests map[string]string   `json:"manifests"`
	DiffIDs   map[string][]string `json:"diffIDs"`
	Record    string              `json:"record"` // matches, mismatch, missing or added
}

func newBuild(env cli.Env) *cobra.Command {
	var out, platformName string
	var add, asJSON bool
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
			var platform versions.Platform
			if platformName != "" {
				var err error
				if platform, err = versions.ParsePlatform(platformName); err != nil {
					return cli.Usage("--platform: %w", err)
				}
			}
			switch {
			case out == "":
				return cli.Usage("-o: want a directory to write to")
			case add && platformName != "":
				return cli.Usage("--record: want all platforms, got --platform %s", platformName)
			}
			b, data, err := openBuilder(env)
			if err != nil {
				return err
			}
			if add && data.Root == "" {
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
			result := built{image.Name(), r.Index, r.Manifests, r.DiffIDs, "matches"}
			_, recorded := b.Records[image.Name()]
			switch {
			case err != nil:
				result.Record = "mismatch"
			case !recorded && add:
				result.Record, err = "added", record.Add(c.Context(), data.Root, image.Name(), r)
			case !recorded:
				result.Record = "missing"
			}
			if asJSON {
				if err2 := writeJSON(env.Out, result); err == nil {
					err = err2
				}
				return err
			}
			result.print(env.Out, env.Err)
			return err
		},
	}
	fs := c.Flags()
	fs.StringVarP(&out, "output", "o", "", "the `directory` to write the OCI layout to")
	fs.StringVar(&platformName, "platform", "", "build for this `platform` only, like linux/amd64")
	fs.BoolVar(&add, "record", false, "add the digests of an image that is not on record to "+record.File)
	jsonFlag(c, &asJSON)
	completePlatform(c, env)
	return c
}

func (b built) print(out, log io.Writer) {
	for _, platform := range slices.Sorted(maps.Keys(b.Manifests)) {
		fmt.Fprintf(out, "%s %s manifest %s\n", b.Image, platform, b.Manifests[platform])
	}
	if b.Index != "" {
		fmt.Fprintf(out, "%s index %s\n", b.Image, b.Index)
	}
	switch b.Record {
	case "matches":
		fmt.Fprintf(log, "hk: %s matches its record in %s\n", b.Image, record.File)
	case "missing":
		fmt.Fprintf(log, "hk: %s is not on record in %s, so its digests were not compared; --record adds them\n", b.Image, record.File)
	}
}
