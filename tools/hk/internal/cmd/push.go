package cmd

import (
	"errors"
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
record. It verifies every blob before it sends the first one. It pushes all blobs and
manifests by digest, and then gives the image its tags. Blobs that the registry has are
not sent again. Credentials come from the configuration of docker or podman.

With --attach, the registry also gets the SBOM and the provenance of each platform and
of the index. They are referrers of OCI 1.1, before the tags. In a registry without
referrers, the tag sha256-HEX lists those of a digest.

A tag that exists with another digest is not moved without --force. The exit code is 3
for such a tag, and for an image that differs from its record.`,
		Example: `  # Push an image to a registry.
  hk push hyperkube:v1.36.0 --repository registry.example/k8s/hyperkube

  # Push it with SBOMs and provenance.
  hk push hyperkube:v1.36.0 --repository registry.example/k8s/hyperkube --attach

  # Print what a push of a layout would send.
  hk push rke:v1.36.0-rancher1 --layout layout --repository registry.example/rke --dry-run`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeImage(env),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := catalog.Open(env)
			if err != nil {
				return err
			}
			o.Image = args[0]
			pushed, err := b.Push(c.Context(), o)
			if pushed.Digest == "" {
				return err
			}
			return errors.Join(err, printResult(c, pushed, func(w io.Writer, r catalog.PushResult) { r.Print(w) }))
		},
	}
	fs := c.Flags()
	fs.StringVar(&o.Repository, "repository", "", "the `repository` with its registry, in place of the one of versions.yaml")
	fs.StringArrayVar(&o.Tags, "tag", nil, "a further `tag`; repeatable")
	fs.BoolVar(&o.Attach, "attach", false, "attach the SBOM and the provenance of each platform and of the index, as referrers")
	fs.StringVar(&o.Layout, "layout", "", "push the OCI layout in this `directory`; default: build the image")
	fs.BoolVar(&o.Force, "force", false, "move tags that exist with another digest")
	fs.BoolVar(&o.DryRun, "dry-run", false, "print which blobs, manifests and tags would be sent, and send nothing")
	jsonFlag(c)
	return c
}
