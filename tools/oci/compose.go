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
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/versions"
)

// image lays one platform's image out. Its layers are links to the files given,
// as in rules_oci's layouts.
func image(_ context.Context, env cli.Env) error {
	var spec oci.Image
	fs := flag.NewFlagSet("oci image", flag.ContinueOnError)
	out := fs.String("o", "", "the `folder` to lay the image out in")
	fs.StringVar(&spec.OS, "os", "", "the operating `system`; without it, that of the base")
	fs.StringVar(&spec.Arch, "arch", "", "the `architecture`; without it, that of the base")
	fs.StringVar(&spec.User, "user", "", "the `user`")
	fs.StringVar(&spec.WorkingDir, "workdir", "", "the working `folder`")
	lines(fs, "entrypoint", &spec.Entrypoint)
	lines(fs, "cmd", &spec.Cmd)
	pairs(fs, "env", &spec.Env)
	pairs(fs, "labels", &spec.Labels)
	pairs(fs, "annotations", &spec.Annotations)
	files := map[string]string{} // digest to file
	fs.Func("base", "the `layout` of an image to build upon; without one, scratch", func(dir string) (err error) {
		if spec.Base, err = oci.ReadBase(dir); err != nil {
			return err
		}
		for _, l := range spec.Base.Layers {
			files[l.Digest] = oci.BlobPath(dir, l.Digest)
		}
		return nil
	})
	fs.Func("layer", "`FILE,DESCRIPTOR` of a layer; repeatable, in order", func(s string) error {
		file, descriptor, ok := strings.Cut(s, ",")
		if !ok {
			return fmt.Errorf("want FILE,DESCRIPTOR, got %q", s)
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
	fs.Func("label", "the Bazel `label` of the layer before it", func(s string) error {
		if len(spec.Layers) == 0 {
			return errors.New("no -layer stands before it")
		}
		spec.Layers[len(spec.Layers)-1].Label = s
		return nil
	})
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *out == "" {
		return cli.Usage("-o: want a folder")
	}
	m, err := oci.Compose(spec)
	if err != nil {
		return err
	}
	return oci.WriteImage(*out, m, func(digest, to string) error {
		target, err := filepath.Rel(filepath.Dir(to), files[digest])
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	})
}

// base lays out, solid, what lies as files in another repository of Bazel.
func base(_ context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("oci base", flag.ContinueOnError)
	out := fs.String("o", "", "the `folder` to lay the image out in; its layout follows as argument")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *out == "" || fs.NArg() != 1 {
		return cli.Usage("want -o FOLDER and the layout of an image")
	}
	dir := fs.Arg(0)
	b, err := oci.ReadBase(dir)
	if err != nil {
		return err
	}
	return oci.WriteBase(*out, b, oci.CopyLayers(oci.OpenFiles(func(digest string) string { return oci.BlobPath(dir, digest) })))
}

// index lays an index of images out, with copies of all their layers.
func index(_ context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("oci index", flag.ContinueOnError)
	out := fs.String("o", "", "the `folder` to lay the index out in; the images' layouts follow as arguments")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *out == "" || fs.NArg() == 0 {
		return cli.Usage("want -o FOLDER and the layouts of images")
	}
	var images []oci.Manifest
	from := map[string]string{} // digest to layout
	for _, dir := range fs.Args() {
		m, err := oci.ReadImage(dir)
		if err != nil {
			return err
		}
		for _, l := range m.Layers {
			from[l.Digest] = dir
		}
		images = append(images, m)
	}
	index, err := oci.Index(images)
	if err != nil {
		return err
	}
	return oci.WriteIndex(*out, index, images, oci.CopyLayers(oci.OpenFiles(func(digest string) string {
		return oci.BlobPath(from[digest], digest)
	})))
}

// lines is a flag that names a file with one value a line.
func lines(fs *flag.FlagSet, name string, to *[]string) {
	fs.Func(name, "the `file` with the "+name+", a value a line", func(file string) error {
		values, err := readLines(file)
		*to = append(*to, values...)
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

// pairs is a flag that names a file with one KEY=VALUE a line.
func pairs(fs *flag.FlagSet, name string, to *[]versions.Pair) {
	fs.Func(name, "the `file` with the "+name+", a KEY=VALUE a line", func(file string) error {
		values, err := readLines(file)
		if err != nil {
			return err
		}
		for _, line := range values {
			key, value, _ := strings.Cut(line, "=")
			*to = append(*to, versions.Pair{Key: key, Value: value})
		}
		return nil
	})
}
