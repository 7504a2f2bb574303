package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// image writes the layout of a single-platform image. Its layers are symlinks to the
// given files, as in layouts of rules_oci.
func image(_ context.Context, env cli.Env) error {
	var spec oci.ImageSpec
	fs := flag.NewFlagSet("oci image", flag.ContinueOnError)
	out := fs.String("o", "", "the output `directory`")
	fs.StringVar(&spec.OS, "os", "", "the operating `system`; default: that of the base")
	fs.StringVar(&spec.Arch, "arch", "", "the `architecture`; default: that of the base")
	fs.StringVar(&spec.User, "user", "", "the `user`")
	fs.StringVar(&spec.WorkingDir, "workdir", "", "the working `directory`")
	linesFlag(fs, "entrypoint", &spec.Entrypoint)
	linesFlag(fs, "cmd", &spec.Cmd)
	pairsFlag(fs, "env", &spec.Env)
	pairsFlag(fs, "labels", &spec.Labels)
	pairsFlag(fs, "annotations", &spec.Annotations)
	files := map[string]string{} // layer digest to path
	fs.Func("base", "the `layout` of the base image; default: scratch", func(dir string) (err error) {
		if spec.Base, err = oci.ReadBase(dir); err != nil {
			return err
		}
		for _, l := range spec.Base.Layers {
			files[l.Digest] = oci.BlobPath(dir, l.Digest)
		}
		return nil
	})
	fs.Func("layer", "a layer, `FILE,DESCRIPTOR`; repeatable, lowest first", func(s string) error {
		file, descriptor, ok := strings.Cut(s, ",")
		if !ok {
			return errors.New("want FILE,DESCRIPTOR")
		}
		var layer oci.Layer
		raw, err := os.ReadFile(descriptor)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &layer.Descriptor); err != nil {
			return fmt.Errorf("reading descriptor %q: %w", descriptor, err)
		}
		files[layer.Digest] = file
		spec.Layers = append(spec.Layers, layer)
		return nil
	})
	fs.Func("label", "the Bazel `label` of the preceding -layer", func(s string) error {
		if len(spec.Layers) == 0 {
			return errors.New("want -layer before -label")
		}
		spec.Layers[len(spec.Layers)-1].Label = s
		return nil
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *out == "" {
		return cli.Usage("want -o DIR")
	}
	composed, err := oci.Compose(spec)
	if err != nil {
		return err
	}
	return oci.WriteImage(*out, composed, func(digest, path string) error {
		target, err := filepath.Rel(filepath.Dir(path), files[digest])
		if err != nil {
			return err
		}
		return os.Symlink(target, path)
	})
}

// base copies the layout of a base image, whose blobs may be symlinks into another
// Bazel repository, to a layout of regular files.
func base(_ context.Context, env cli.Env) error {
	out, dirs, err := parseLayouts(env, "oci base")
	if err != nil {
		return err
	}
	if len(dirs) != 1 {
		return cli.Usage("want one layout, got %d", len(dirs))
	}
	b, err := oci.ReadBase(dirs[0])
	if err != nil {
		return err
	}
	return oci.WriteImage(out, b.Image(), oci.CopyLayerFiles(func(digest string) string { return oci.BlobPath(dirs[0], digest) }))
}

// index writes the layout of an index of single-platform images, with copies of their
// layers.
func index(_ context.Context, env cli.Env) error {
	out, dirs, err := parseLayouts(env, "oci index")
	if err != nil {
		return err
	}
	var images []oci.Image
	layouts := map[string]string{} // layer digest to layout
	for _, dir := range dirs {
		b, err := oci.ReadBase(dir)
		if err != nil {
			return err
		}
		for _, l := range b.Layers {
			layouts[l.Digest] = dir
		}
		images = append(images, b.Image())
	}
	return oci.WriteIndex(out, oci.Index(images), images, oci.CopyLayerFiles(func(digest string) string {
		return oci.BlobPath(layouts[digest], digest)
	}))
}

// documents copies a layout without its layers. A push of an image whose layers are in
// the registry needs no more.
func documents(_ context.Context, env cli.Env) error {
	out, dirs, err := parseLayouts(env, "oci documents")
	if err != nil {
		return err
	}
	if len(dirs) != 1 {
		return cli.Usage("want one layout, got %d", len(dirs))
	}
	content, err := layout.Open(dirs[0])
	if err != nil {
		return err
	}
	errs := []error{oci.MakeDirs(out)}
	for _, name := range []string{"oci-layout", "index.json"} {
		raw, err := os.ReadFile(filepath.Join(dirs[0], name))
		errs = append(errs, err, os.WriteFile(filepath.Join(out, name), raw, 0o644))
	}
	write := oci.CopyLayerFiles(func(digest string) string { return oci.BlobPath(dirs[0], digest) })
	for _, desc := range slices.Concat(content.Manifests, content.Blobs) {
		if !desc.MediaType.IsLayer() {
			errs = append(errs, write(desc.Digest.String(), oci.BlobPath(out, desc.Digest.String())))
		}
	}
	return errors.Join(errs...)
}

// parseLayouts parses -o and the layouts of images.
func parseLayouts(env cli.Env, name string) (out string, dirs []string, err error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.StringVar(&out, "o", "", "the output `directory`; layouts of images follow as arguments")
	if err := cli.Parse(fs, env, true); err != nil {
		return "", nil, err
	}
	if out == "" || fs.NArg() == 0 {
		return "", nil, cli.Usage("want -o DIR and layouts of images")
	}
	return out, fs.Args(), nil
}

// linesFlag defines a flag that names a file with one value per line.
func linesFlag(fs *flag.FlagSet, name string, values *[]string) {
	fs.Func(name, "a `file` with the "+name+", one value per line", func(file string) error {
		lines, err := readLines(file)
		*values = append(*values, lines...)
		return err
	})
}

func readLines(file string) ([]string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Split(string(raw), "\n"), func(line string) bool { return line == "" }), nil
}

// pairsFlag defines a flag that names a file with one KEY=VALUE per line.
func pairsFlag(fs *flag.FlagSet, name string, pairs *[]versions.Pair) {
	fs.Func(name, "a `file` with the "+name+", one KEY=VALUE per line", func(file string) error {
		lines, err := readLines(file)
		for _, line := range lines {
			key, value, _ := strings.Cut(line, "=")
			*pairs = append(*pairs, versions.Pair{Key: key, Value: value})
		}
		return err
	})
}
