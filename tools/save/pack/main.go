// Pack writes the archive of images that lie in folders as OCI layouts. Bazel
// runs it, and not tools/save, which changes with every version that is added:
// the archives do not.
package main

import (
	"context"
	"flag"
	"os"
	"runtime/debug"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
)

func main() { os.Exit(cli.Main("pack", run)) }

type config struct {
	out         string
	compression archive.Compression
	platforms   []string
	images      []archive.Image
}

// memory is what the process is to do with, in bytes, whatever the images' size.
const memory = 48 << 20

func run(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(memory)
	c, err := parse(env)
	if err != nil {
		return err
	}
	a, err := archive.New(c.images, c.platforms)
	if err != nil {
		return err
	}
	return archive.Replace(ctx, c.out, nil, func(_ string, out *os.File) error {
		return a.Write(ctx, out, c.compression, nil)
	})
}

func parse(env cli.Env) (config, error) {
	var c config
	fs := flag.NewFlagSet("pack", flag.ContinueOnError)
	fs.StringVar(&c.out, "o", "", "the `file` to write; images follow as arguments, NAME=DIR")
	compression := fs.String("compression", string(archive.None), "none, zstd or lz4 (`how`)")
	fs.Func("platform", "a `platform`; repeatable", func(s string) error {
		c.platforms = append(c.platforms, s)
		return nil
	})
	if err := cli.Parse(fs, env, true); err != nil {
		return c, err
	}
	if c.out == "" || fs.NArg() == 0 {
		return c, cli.Usage("want -o FILE and images")
	}
	var err error
	if c.compression, err = archive.ParseCompression(*compression); err != nil {
		return c, cli.Usage("-compression: %w", err)
	}
	for _, arg := range fs.Args() {
		image, err := archive.ParseImage(arg)
		if err != nil {
			return c, cli.Usage("image: %w", err)
		}
		c.images = append(c.images, image)
	}
	return c, nil
}
