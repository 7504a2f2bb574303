// Layer writes one image layer and a JSON descriptor of it. It is a program of
// Bazel actions.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("layer", run)) }

type config struct {
	entry           layer.Entry
	symlinks        []versions.Symlink
	packages        string   // specification of a layer of packages
	debs            []string // files of its packages
	pins            []versions.Layer
	src             string
	sha256          versions.Digest // of src; zero: not verified
	compression     versions.Compression
	out, descriptor string
}

func run(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(layer.MemoryLimit) // Bazel runs several actions concurrently
	c, err := parse(env)
	if err != nil {
		return err
	}
	if err := c.write(ctx); err != nil {
		// Outside of Bazel, which discards the outputs of failed actions.
		return errors.Join(err, remove(c.out), remove(c.descriptor))
	}
	return nil
}

func (c config) write(ctx context.Context) error {
	out, err := os.Create(c.out)
	if err != nil {
		return fmt.Errorf("writing layer: %w", err)
	}
	d, err := c.writeLayer(ctx, out)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(c.descriptor, append(raw, '\n'), 0o644)
}

func (c config) writeLayer(ctx context.Context, out io.Writer) (layer.Descriptor, error) {
	switch {
	case c.packages != "":
		return c.writePackages(ctx, out)
	case c.pins != nil:
		content := versions.Layer{Pinned: c.pins}.PinsFile()
		c.entry.Content, c.entry.Size = bytes.NewReader(content), int64(len(content))
		return layer.Write(ctx, out, c.compression, c.entry)
	case c.src == "":
		return layer.Write(ctx, out, c.compression, layer.Symlinks(c.symlinks)...)
	}
	fail := func(err error) (layer.Descriptor, error) {
		return layer.Descriptor{}, fmt.Errorf("reading source file: %w", err)
	}
	f, err := os.Open(c.src)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	c.entry.Content, c.entry.Size = f, info.Size()
	if c.sha256 != (versions.Digest{}) {
		c.entry.Content = store.NewVerifier(f, c.src, c.sha256, 0)
	}
	d, err := layer.Write(ctx, out, c.compression, c.entry)
	return d, c.describe(err)
}

// describe adds to a mismatch what the source file seems to be, and the fix.
func (c config) describe(err error) error {
	var mismatch *store.MismatchError
	if !errors.As(err, &mismatch) {
		return err
	}
	err = mismatch.Describe(store.ReadHead(c.src), true)
	fix := "Fix: restore the file, or correct its sha256"
	if _, path, ok := strings.Cut(c.src, "external/"); ok {
		repository, _, _ := strings.Cut(path, "/")
		fix = "Something changed it after Bazel fetched it. Fix: ./bazelw fetch --force --repo=@@" + repository
	}
	return fmt.Errorf("writing layer of %q: %w\n%s", c.entry.Path, err, fix)
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func parse(env cli.Env) (config, error) {
	c := config{entry: layer.Entry{Mode: 0o755}, compression: versions.Gzip}
	fs := flag.NewFlagSet("layer", flag.ContinueOnError)
	fs.StringVar(&c.src, "src", "", "the source `file`")
	fs.Func("sha256", "the sha256 that the source file must have, in `hex`", func(s string) (err error) {
		c.sha256, err = versions.ParseDigest(s)
		return err
	})
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
		c.symlinks = append(c.symlinks, versions.Symlink{Path: path, Target: target})
		return nil
	})
	fs.StringVar(&c.packages, "packages", "", "the `file` with the JSON of a layer of Debian packages, instead of a file")
	fs.Func("deb", "the `file` of a package; repeated in the order of the packages", func(s string) error {
		c.debs = append(c.debs, s)
		return nil
	})
	fs.Func("pin", "a pin, `KEY=SHA256`, of the file of pins at -path, instead of a file; repeatable", func(s string) error {
		key, sha256, _ := strings.Cut(s, "=")
		k, err1 := versions.ParseFileKey(key)
		d, err2 := versions.ParseDigest(sha256)
		c.pins = append(c.pins, versions.Layer{Pin: versions.Pin{FileKey: k, SHA256: d}})
		return errors.Join(err1, err2)
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return c, err
	}
	kinds := 0
	for _, given := range []bool{c.src != "", len(c.symlinks) > 0, c.packages != "", c.pins != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 || (c.src == "" && c.pins == nil) != (c.entry.Path == "") || c.packages == "" && len(c.debs) > 0 {
		return c, cli.Usage("want either -src and -path, or -pin and -path, or -symlink, or -packages and -deb")
	}
	if c.src == "" && c.sha256 != (versions.Digest{}) {
		return c, cli.Usage("want -src with -sha256")
	}
	if c.out == "" || c.descriptor == "" {
		return c, cli.Usage("want -o and -descriptor")
	}
	return c, nil
}
