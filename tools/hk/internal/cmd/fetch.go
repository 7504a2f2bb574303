package cmd

import (
	"context"
	"fmt"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/catalog"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newFetch(env cli.Env) *cobra.Command {
	var key versions.BaseKey
	var out string
	c := &cobra.Command{
		Use:   "fetch KEY | --base IMAGE --platform PLATFORM",
		Short: "Fetch a pinned file, Debian package or base image",
		Long: `Fetch brings a pinned file into the store and verifies its sha256. The file comes
from upstream or a mirror, or is built from source. A Debian package comes from the
machine's mirror or from snapshot.debian.org. Without -o, fetch prints its path
in the store. With --base it writes the OCI layout of a pinned base image.`,
		Example: `  # Copy a pinned kubelet to a file.
  hk fetch kubernetes/v1.36.0/linux/amd64/kubelet -o kubelet

  # Copy a pinned Debian package to a file.
  hk fetch debian/slim/linux/amd64/bash -o bash.deb

  # Write the OCI layout of a pinned base image.
  hk fetch --base registry.example/base@sha256:… --platform linux/amd64 -o base`,
		ValidArgsFunction: completeKey(env),
		RunE: func(c *cobra.Command, args []string) error {
			isBase := key.Image != versions.ImageRef{}
			switch {
			case isBase == (len(args) > 0) || isBase != (key.Platform != versions.Platform{}) || len(args) > 1:
				return cli.Usage("want one KEY, or --base and --platform")
			case isBase && out == "":
				return cli.Usage("-o: want a directory to write the base image to")
			}
			b, err := catalog.Open(env)
			if err != nil {
				return err
			}
			if isBase {
				return fetchBase(c.Context(), b, key, out)
			}
			return fetchFile(c, b, args[0], out)
		},
	}
	fs := c.Flags()
	fs.StringVarP(&out, "output", "o", "", "the `path` to copy the file or write the OCI layout to")
	fs.Func("base", "the `image` in the lock, like registry.example/base@sha256:…", func(s string) (err error) {
		key.Image, err = versions.ParseImageRef(s)
		return err
	})
	complete(c, "base", completeFrom(env, func(c *versions.Catalog) []string {
		var images []string
		for _, pin := range c.Lock.Bases() {
			images = append(images, pin.Image.String())
		}
		return images
	}))
	platformFlag(c, &key.Platform, "the `platform` of the base image, like linux/amd64")
	return c
}

// pinOf returns the pin of a file or Debian package.
func pinOf(l *versions.Lock, key string) (versions.Pin, error) {
	if p, ok := l.Package(key); ok {
		return l.PackageFile(p), nil
	}
	if !versions.IsPackageKey(key) {
		k, err := versions.ParseFileKey(key)
		if err != nil {
			return versions.Pin{}, cli.Usage("key: %w", err)
		}
		if pin, ok := l.Pin(k); ok {
			return pin, nil
		}
	}
	return versions.Pin{}, fmt.Errorf("fetching %s: not pinned in %s", key, versions.LockFile)
}

func fetchFile(c *cobra.Command, b *catalog.Builder, name, out string) error {
	pin, err := pinOf(b.Catalog.Lock, name)
	if err != nil {
		return err
	}
	if out != "" {
		return b.Copy(c.Context(), pin, out)
	}
	path, err := b.Path(c.Context(), pin)
	if err == nil {
		fmt.Fprintln(c.OutOrStdout(), path)
	}
	return err
}

func fetchBase(ctx context.Context, b *catalog.Builder, key versions.BaseKey, out string) error {
	pin, ok := b.Catalog.Lock.Base(key)
	if !ok {
		return fmt.Errorf("fetching base image %s: not pinned in %s", key, versions.LockFile)
	}
	return assemble.Base(ctx, b.Fetcher, pin, out)
}
