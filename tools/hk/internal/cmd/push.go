package cmd

import (
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
)

func newPush(env cli.Env) *cobra.Command {
	var o catalog.PushOptions
	c := &cobra.Command{
		Use:   "push IMAGE",
		Short: "Build an image and push it to a registry",
		Long: `Push builds an image, or takes a layout that exists, and compares it with its
record. It pushes all blobs and manifests by digest, and then gives the image its tags.
Blobs that the registry has are not sent again. Credentials come from the configuration
of docker or podman.`,
		Example: `  # Push an image to a registry.
  hk push hyperkube:v1.36.0 --repository registry.example/k8s/hyperkube

  # Push a layout, with a further tag.
  hk push rke:v1.36.0-rancher1 --layout layout --repository registry.example/rke --tag latest`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeImage(env),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := catalog.Open(env)
			if err != nil {
				return err
			}
			o.Image = args[0]
			pushed, err := b.Push(c.Context(), o)
			if err != nil {
				return err
			}
			return printResult(c, pushed, func(w io.Writer, r catalog.PushResult) { fmt.Fprintf(w, "%s@%s\n", r.Repository, r.Digest) })
		},
	}
	fs := c.Flags()
	fs.StringVar(&o.Repository, "repository", "", "the `repository` with its registry, in place of the one of versions.yaml")
	fs.StringArrayVar(&o.Tags, "tag", nil, "a further `tag`; repeatable")
	fs.StringVar(&o.Layout, "layout", "", "push the OCI layout in this `directory`; default: build the image")
	jsonFlag(c)
	return c
}
