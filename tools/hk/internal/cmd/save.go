package cmd

import (
	"runtime/debug"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newSave(env cli.Env) *cobra.Command {
	o := catalog.SaveOptions{Compression: archive.None}
	c := &cobra.Command{
		Use:   "save IMAGE|NAME=DIR... -o FILE",
		Short: "Save images in one archive for docker, podman, containerd and skopeo",
		Long: `Save writes images into one archive that docker, podman, containerd and skopeo
load. An IMAGE is built and compared with its record; NAME=DIR is an OCI layout that
exists, with the full name of its image.`,
		Example: `  # Save two images for the nodes of an offline cluster.
  hk save hyperkube:v1.36.0 kubectl:v1.36.0 -o node.tar.zst --compression zstd --platform linux/amd64

  # Save the OCI layout of another image.
  hk save registry.example/app:v1=layout -o app.tar`,
		ValidArgsFunction: completeImages(env),
		RunE: func(c *cobra.Command, args []string) error {
			debug.SetMemoryLimit(layer.MemoryLimit)
			for _, arg := range args {
				if !strings.Contains(arg, "=") {
					o.Images = append(o.Images, arg)
					continue
				}
				layout, err := archive.ParseImage(arg)
				if err != nil {
					return cli.Usage("image: %w", err)
				}
				o.Layouts = append(o.Layouts, layout)
			}
			switch {
			case o.File == "":
				return cli.Usage("-o: want a file to write")
			case len(args) == 0:
				return cli.Usage("want images: FLAVOR:TAG or NAME=DIR")
			case o.Repository != "" && len(o.Images) == 0:
				return cli.Usage("--repository: only for images of the catalog; NAME=DIR has the full name")
			}
			b, err := catalog.Open(env)
			if err != nil {
				return err
			}
			contents, err := b.Save(c.Context(), o)
			if err != nil {
				return err
			}
			return printResult(c, contents, printContents)
		},
	}
	fs := c.Flags()
	fs.StringVarP(&o.File, "output", "o", "", "the `file` to write")
	fs.Func("compression", "the `type` of compression: none, zstd or lz4 (default none)", func(s string) (err error) {
		o.Compression, err = archive.ParseCompression(s)
		return err
	})
	fs.StringArrayVar(&o.Platforms, "platform", nil, "save this `platform` only, like linux/amd64; repeatable, docker loads the first")
	fs.StringVar(&o.Repository, "repository", "", "the `prefix` of image names in place of the registry of versions.yaml")
	jsonFlag(c)
	completeFixed(c, "platform", versions.Platforms)
	completeFixed(c, "compression", []string{"none", "zstd", "lz4"})
	return c
}
