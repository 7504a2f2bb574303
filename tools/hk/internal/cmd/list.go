package cmd

import (
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/spf13/cobra"
)

func newList(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "list FILE",
		Short: "List the images in a saved archive",
		Long:  "List prints the images in an archive that hk save wrote. It reads the beginning of the file only.",
		Example: `  # List the images and platforms in an archive.
  hk list node.tar.zst

  # Print the names of the images.
  hk list node.tar --json | jq -r '.images[].name'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := ctxio.Open(c.Context(), args[0])
			if err != nil {
				return fmt.Errorf("reading archive: %w", err)
			}
			defer f.Close()
			contents, err := archive.ReadContents(f)
			if err != nil {
				return fmt.Errorf("%q: %w", args[0], err)
			}
			return printResult(c, contents, printContents)
		},
	}
	jsonFlag(c)
	return c
}

// printContents prints a line for each image and for each of its platforms.
func printContents(w io.Writer, c archive.Contents) {
	sizes := map[archive.Digest]int64{}
	for _, b := range c.Blobs {
		sizes[b.Digest] = b.Size
	}
	for _, image := range c.Images {
		fmt.Fprintf(w, "%s %s\n", image.Name, image.Digest)
		for _, p := range image.Platforms {
			size := sizes[p.Manifest] + sizes[p.Config]
			for _, d := range p.Layers {
				size += sizes[d]
			}
			docker := ""
			if p.Platform == image.Docker {
				docker = ", loaded by docker"
			}
			fmt.Fprintf(w, "  %s %s, %d bytes%s\n", p.Platform, p.Manifest, size, docker)
		}
	}
	fmt.Fprintf(w, "%d blobs; %d bytes of tar\n", len(c.Blobs), c.Size)
}
