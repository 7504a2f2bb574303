// Layer writes one image layer and a JSON descriptor of it. It is a program of
// Bazel actions.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("layer", run)) }

type config struct {
	entry           layer.Entry
	src             string
	compression     versions.Compression
	out, descriptor string
}

func run(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(layer.MemoryLimit) // Bazel runs several actions concurrently
	c, err := parse(env)
	if err != nil {
		return err
	}
	if c.src != "" {
		f, err := os.Open(c.src)
		if err != nil {
			return fmt.Errorf("reading source file: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("reading source file: %w", err)
		}
		c.entry.Content, c.entry.Size = f, info.Size()
	}
	// Bazel discards the outputs of failed actions, so a direct write suffices.
	out, err := os.Create(c.out)
	if err != nil {
		return fmt.Errorf("writing layer: %w", err)
	}
	d, err := layer.Write(ctx, out, c.entry, c.compression)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(c.descriptor, append(raw, '\n'), 0o644)
}

func parse(env cli.Env) (config, error) {
	c := config{entry: layer.Entry{Content: strings.NewReader(""), Mode: 0o755}, compression: versions.Gzip}
	fs := flag.NewFlagSet("layer", flag.ContinueOnError)
	fs.StringVar(&c.src, "src", "", "the source `file`")
	fs.StringVar(&c.entry.Path, "path", "", "the absolute `path` of the file in the image")
	fs.Func("mode", "the octal permission `bits` of the file (default 0755)", func(s string) (err error) {
		c.entry.Mode, err = strconv.ParseInt(s, 8, 64)
		return err
	})
	fs.Func("compression", "the `method`, gzip or zstd (default gzip)", func(s string) error {
		if c.compression = versions.Compression(s); c.compression != versions.Gzip && c.compression != versions.Zstd {
			return errors.New("want gzip or zstd")
		}
		return nil
	})
	fs.StringVar(&c.out, "o", "", "the output `file` of the layer")
	fs.StringVar(&c.descriptor, "descriptor", "", "the output `file` of the descriptor")
	fs.Func("symlink", "a symlink, `PATH=TARGET`, instead of a file; repeatable", func(s string) error {
		path, target, _ := strings.Cut(s, "=")
		if path == "" || target == "" {
			return errors.New("want PATH=TARGET")
		}
		c.entry.Symlinks = append(c.entry.Symlinks, versions.Symlink{Path: path, Target: target})
		return nil
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	if (c.src == "") != (c.entry.Path == "") || (c.src == "") == (len(c.entry.Symlinks) == 0) {
		return c, cli.Usage("want either -src and -path, or -symlink")
	}
	if c.out == "" || c.descriptor == "" {
		return c, cli.Usage("want -o and -descriptor")
	}
	return c, nil
}
