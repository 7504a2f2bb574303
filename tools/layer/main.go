// Layer writes one image layer and a JSON descriptor of it. Bazel runs it; so
// can anybody.
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
	entry       layer.Entry
	src         string
	compression versions.Compression
	out, desc   string
}

// memory is what the process is to do with, in bytes, whatever the file's size.
// Bazel runs several of these at once.
const memory = 48 << 20

func run(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(memory)
	c, err := parse(env)
	if err != nil {
		return err
	}
	if c.src != "" {
		f, err := os.Open(c.src)
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		c.entry.Content, c.entry.Size = f, info.Size()
	}
	// Bazel throws away the outputs of an action that fails; others may find a
	// torn file here, and an exit code that says so.
	out, err := os.Create(c.out)
	if err != nil {
		return fmt.Errorf("writing the layer: %w", err)
	}
	d, err := layer.Write(ctx, out, c.entry, c.compression)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(c.desc, append(raw, '\n'), 0o644)
}

func parse(env cli.Env) (config, error) {
	c := config{entry: layer.Entry{Content: strings.NewReader("")}}
	fs := flag.NewFlagSet("layer", flag.ContinueOnError)
	fs.StringVar(&c.src, "src", "", "the `file` to put into the layer")
	fs.StringVar(&c.entry.Path, "path", "", "its absolute `path` in the image")
	mode := fs.String("mode", "0755", "its permission `bits`, octal")
	compression := fs.String("compression", string(versions.Gzip), "gzip or zstd")
	fs.StringVar(&c.out, "o", "", "the `file` to write the layer to")
	fs.StringVar(&c.desc, "descriptor", "", "the `file` to write its descriptor to")
	fs.Func("symlink", "a symlink, `PATH=TARGET`, in place of a file; repeatable", func(s string) error {
		link, target, ok := strings.Cut(s, "=")
		if !ok || link == "" || target == "" {
			return fmt.Errorf("want PATH=TARGET, got %q", s)
		}
		c.entry.Symlinks = append(c.entry.Symlinks, versions.Symlink{Path: link, Target: target})
		return nil
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	c.compression = versions.Compression(*compression)
	var err error
	if c.entry.Mode, err = strconv.ParseInt(*mode, 8, 64); err != nil {
		return c, cli.Usage("-mode: %q is not octal", *mode)
	}
	if (c.src == "") != (c.entry.Path == "") || (c.src == "") == (len(c.entry.Symlinks) == 0) {
		return c, cli.Usage("want -src and -path, or -symlink alone")
	}
	if c.out == "" || c.desc == "" {
		return c, cli.Usage("want -o and -descriptor")
	}
	return c, nil
}
