package main

import (
	"context"
	"flag"
	"os"
	"runtime/debug"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	imagearchive "github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
)

// archive saves images to one archive. Bazel actions run this program rather than
// hk save, which embeds the lock and so changes with every version.
func archive(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(layer.MemoryLimit) // Bazel runs several actions concurrently
	fs := flag.NewFlagSet("oci archive", flag.ContinueOnError)
	out := fs.String("o", "", "the output `file`; images follow as arguments NAME=DIR")
	compression := imagearchive.None
	fs.Func("compression", "the `method`: none, zstd or lz4", func(s string) (err error) {
		compression, err = imagearchive.ParseCompression(s)
		return err
	})
	var platforms []string
	fs.Func("platform", "a `platform` to include; repeatable; default: all", func(s string) error {
		platforms = append(platforms, s)
		return nil
	})
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *out == "" || fs.NArg() == 0 {
		return cli.Usage("want -o FILE and images NAME=DIR")
	}
	var images []imagearchive.Image
	for _, arg := range fs.Args() {
		image, err := imagearchive.ParseImage(arg)
		if err != nil {
			return cli.Usage("image: %w", err)
		}
		images = append(images, image)
	}
	a, err := imagearchive.New(images, platforms)
	if err != nil {
		return err
	}
	return imagearchive.Replace(ctx, *out, nil, func(_ string, f *os.File) error {
		return a.Write(ctx, f, compression, nil)
	})
}
