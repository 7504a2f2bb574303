package main

import (
	"flag"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
)

type config struct {
	out         string
	compression archive.Compression
	platforms   []string // the one for docker first; none for all
	repository  string
	catalog     []wanted
	layouts     []archive.Image

	list string
	json bool
}

// wanted is an image of the catalog.
type wanted struct{ flavor, tag string }

func (w wanted) String() string { return w.flavor + ":" + w.tag }

func parse(env cli.Env) (config, error) {
	var c config
	fs := flag.NewFlagSet("save", flag.ContinueOnError)
	fs.StringVar(&c.out, "o", "", "the `file` to write; images follow as arguments, FLAVOR:TAG of the catalog or NAME=DIR of an OCI layout")
	compression := fs.String("compression", string(archive.None), "of the whole file: none, zstd or lz4 (`how`)")
	fs.Func("platform", "leave out all `platforms` but this one, like linux/amd64; repeatable, and docker gets the first", func(s string) error {
		c.platforms = append(c.platforms, s)
		return nil
	})
	fs.StringVar(&c.repository, "repository", "", "the `prefix` of the names of the catalog's images; without one, the registry of versions.yaml")
	fs.StringVar(&c.list, "list", "", "tell what is in this `file`, and write nothing")
	fs.BoolVar(&c.json, "json", false, "with -list: in JSON, as the file has it")
	if err := cli.Parse(fs, env, true); err != nil {
		return c, err
	}
	if c.list != "" {
		if c.out != "" || fs.NArg() > 0 {
			return c, cli.Usage("-list: want nothing besides it but -json")
		}
		return c, nil
	}
	var err error
	if c.compression, err = archive.ParseCompression(*compression); err != nil {
		return c, cli.Usage("-compression: %w", err)
	}
	for _, arg := range fs.Args() {
		if err := c.image(arg); err != nil {
			return c, err
		}
	}
	switch {
	case c.out == "":
		return c, cli.Usage("-o: want a file to write")
	case fs.NArg() == 0:
		return c, cli.Usage("want images: FLAVOR:TAG or NAME=DIR")
	case c.json:
		return c, cli.Usage("-json: is for -list")
	case c.repository != "" && len(c.catalog) == 0:
		return c, cli.Usage("-repository: is for images of the catalog; that of a folder has its name in full")
	}
	return c, nil
}

func (c *config) image(arg string) error {
	if strings.Contains(arg, "=") {
		image, err := archive.ParseImage(arg)
		if err != nil {
			return cli.Usage("image: %w", err)
		}
		c.layouts = append(c.layouts, image)
		return nil
	}
	flavor, tag, ok := strings.Cut(arg, ":")
	if !ok {
		return cli.Usage("image: %q is neither FLAVOR:TAG nor NAME=DIR", arg)
	}
	c.catalog = append(c.catalog, wanted{flavor, tag})
	return nil
}
