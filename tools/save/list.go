package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
)

// list tells what is in an archive, by its beginning.
func list(env cli.Env, c config) error {
	f, err := os.Open(c.list)
	if err != nil {
		return fmt.Errorf("reading an archive: %w", err)
	}
	defer f.Close()
	contents, err := archive.ReadContents(f)
	if err != nil {
		return fmt.Errorf("%q: %w", c.list, err)
	}
	if !c.json {
		show(env.Out, contents)
		return nil
	}
	e := json.NewEncoder(env.Out)
	e.SetIndent("", " ")
	return e.Encode(contents)
}

// show prints an image, and what it has for each platform, a line each.
func show(w io.Writer, c archive.Contents) {
	sizes := map[archive.Digest]int64{}
	for _, b := range c.Blobs {
		sizes[b.Digest] = b.Size
	}
	for _, image := range c.Images {
		fmt.Fprintf(w, "%s %s\n", image.Name, image.Digest)
		for _, p := range image.Platforms {
			size := sizes[p.Manifest] + sizes[p.Config]
			for _, d := range p.Layers {
				size += sizes[d]
			}
			docker := ""
			if p.Platform == image.Docker {
				docker = ", docker's"
			}
			fmt.Fprintf(w, "  %s %s, %d bytes%s\n", p.Platform, p.Manifest, size, docker)
		}
	}
	fmt.Fprintf(w, "%d blobs; %d bytes of tar\n", len(c.Blobs), c.Size)
}
