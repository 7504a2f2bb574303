package cmd

import (
	"fmt"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newFetch(env cli.Env) *cobra.Command {
	var base, out string
	var platform versions.Platform
	c := &cobra.Command{
		Use:   "fetch KEY | --base IMAGE --platform PLATFORM",
		Short: "Fetch a pinned file or base image",
		Long: `Fetch brings a pinned file into the store and verifies its sha256. The file comes
from upstream or a mirror, or is built from source. Without -o, fetch prints its path
in the store. With --base it writes the OCI layout of a pinned base image.`,
		Example: `  # Copy a pinned kubelet to a file.
  hk fetch kubernetes/v1.36.0/linux/amd64/kubelet -o kubelet

  # Write the OCI layout of a pinned base image.
  hk fetch --base registry.example/base@sha256:… --platform linux/amd64 -o base`,
		ValidArgsFunction: completeKey(env),
		RunE: func(c *cobra.Command, args []string) error {
			if (base == "") == (len(args) == 0) || (base == "") != (platform == versions.Platform{}) || len(args) > 1 {
				return cli.Usage("want one KEY, or --base and --platform")
			}
			if base == "" {
				return fetchFile(c, env, args[0], out)
			}
			return fetchBase(c, env, base, platform, out)
		},
	}
	fs := c.Flags()
	fs.StringVarP(&out, "output", "o", "", "the `path` to copy the file or write the OCI layout to")
	fs.StringVar(&base, "base", "", "the `image` in the lock, like registry.example/base@sha256:…")
	complete(c, "base", completeFrom(env, func(c *versions.Catalog) []string {
		var images []string
		for _, pin := range c.Lock.Bases() {
			images = append(images, pin.Image.String())
		}
		return images
	}))
	platformFlag(c, env, &platform, "the `platform` of the base image, like linux/amd64")
	return c
}

func fetchFile(c *cobra.Command, env cli.Env, name, out string) error {
	key, err := versions.ParseFileKey(name)
	if err != nil {
		return cli.Usage("key: %w", err)
	}
	f, err := catalog.Open(env)
	if err != nil {
		return err
	}
	pin, ok := f.Catalog.Lock.Pin(key)
	if !ok {
		return fmt.Errorf("fetching %s: not pinned in %s", key, versions.LockFile)
	}
	if out != "" {
		return f.Copy(c.Context(), pin, out)
	}
	path, err := f.Path(c.Context(), pin)
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Out, path)
	return nil
}

func fetchBase(c *cobra.Command, env cli.Env, image string, platform versions.Platform, out string) error {
	ref, err := versions.ParseImageRef(image)
	if err != nil {
		return cli.Usage("--base: %w", err)
	}
	if out == "" {
		return cli.Usage("-o: want a directory to write the base image to")
	}
	f, err := catalog.Open(env)
	if err != nil {
		return err
	}
	key := versions.BaseKey{Image: ref, Platform: platform}
	pin, ok := f.Catalog.Lock.Base(key)
	if !ok {
		return fmt.Errorf("fetching base image %s: not pinned in %s", key, versions.LockFile)
	}
	return assemble.Base(c.Context(), f.Fetcher, pin, out)
}
