package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

// maxInput bounds what is read of a file; one byte more is an error of the
// library.
const maxInput = imagevector.MaxFileSize + 1

// input is what the commands read: a vector, what overwrites it, and for which
// versions and architectures it is asked.
type input struct {
	env           cli.Env
	vector        string
	overwrites    []string
	compatible    bool
	generation    imagevector.Generation
	kubernetes    string
	architectures []string
	json          bool
}

// flagVector adds the flags that name files.
func (in *input) flagVector(fs *flag.FlagSet) {
	fs.StringVar(&in.vector, "vector", "", "the image vector, a `file`")
	in.flagOverwrite(fs, "an overwrite of it, a `file`; repeatable, the last one wins")
}

func (in *input) flagOverwrite(fs *flag.FlagSet, about string) {
	fs.Func("overwrite", about, func(s string) error {
		in.overwrites = append(in.overwrites, s)
		return nil
	})
}

// flagReading adds the flags that say how files are read and results written.
func (in *input) flagReading(fs *flag.FlagSet) {
	fs.BoolVar(&in.compatible, "compatible", false, "read as Gardener does, instead of refusing what it accepts in silence")
	fs.Func("generation", `what "version" means in files: auto, current (the image's version) or oldest (a constraint)`, func(s string) error {
		generation, ok := map[string]imagevector.Generation{"auto": imagevector.Auto, "current": imagevector.Current, "oldest": imagevector.Oldest}[s]
		if !ok {
			return fmt.Errorf("want auto, current or oldest, got %q", s)
		}
		in.generation = generation
		return nil
	})
	fs.BoolVar(&in.json, "json", false, "print JSON")
}

// flagRange adds the flags that say what is asked for; without is what no
// -kubernetes means.
func (in *input) flagRange(fs *flag.FlagSet, without string) {
	fs.StringVar(&in.kubernetes, "kubernetes", "", "the Kubernetes `versions`, as 1.30..1.36, 1.30.2 or a list; "+without)
	in.architectures = []string{"amd64", "arm64"}
	fs.Func("arch", "the `architectures`, separated by commas (default amd64,arm64)", architectures(&in.architectures))
}

// architectures reads a list of them.
func architectures(into *[]string) func(string) error {
	return func(s string) error {
		*into = strings.Split(s, ",")
		for _, a := range *into {
			if err := knownArchitecture(a); err != nil {
				return err
			}
		}
		return nil
	}
}

func knownArchitecture(a string) error {
	if a != "amd64" && a != "arm64" {
		return fmt.Errorf("unknown architecture %q: known are amd64 and arm64", a)
	}
	return nil
}

// names returns the arguments, which must be names of the vector.
func (in *input) names(v *imagevector.Vector, fs *flag.FlagSet) ([]string, error) {
	args := fs.Args()
	if i := slices.IndexFunc(args, func(s string) bool { return strings.HasPrefix(s, "-") }); i >= 0 {
		return nil, cli.Usage("%q stands behind a name: flags come first", args[i])
	}
	known := v.Names()
	for _, name := range args {
		if _, ok := slices.BinarySearch(known, name); !ok {
			return nil, fmt.Errorf("looking up %q: %s has no image of this name; imagevector find -vector %s lists those it has", name, in.vector, in.vector)
		}
	}
	return args, nil
}

func (in *input) read(file string) ([]byte, error) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(in.env.Dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxInput))
}

func (in *input) options(file string) []imagevector.Option {
	opts := []imagevector.Option{imagevector.WithFile(file), imagevector.WithGeneration(in.generation)}
	if in.compatible {
		opts = append(opts, imagevector.Compatible())
	}
	return opts
}

// load reads a vector.
func (in *input) load(file string, opts ...imagevector.Option) (*imagevector.Vector, error) {
	if file == "" {
		return nil, cli.Usage("missing -vector FILE")
	}
	data, err := in.read(file)
	if err != nil {
		return nil, fmt.Errorf("reading image vector %q: %w", file, err)
	}
	v, err := imagevector.Parse(data, append(in.options(file), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("reading image vector %q: %w", file, err)
	}
	return v, nil
}

// merged reads a vector and lays the overwrites over it.
func (in *input) merged(file string) (*imagevector.Vector, error) {
	v, err := in.load(file)
	if err != nil {
		return nil, err
	}
	for _, file := range in.overwrites {
		over, err := in.load(file, imagevector.AsOverwrite(), imagevector.WithGeneration(v.Generation()))
		if err != nil {
			return nil, err
		}
		v = v.Overwrite(over)
	}
	return v, nil
}

// versions returns the Kubernetes versions asked for, released or not.
func (in *input) versions() (imagevector.Versions, error) {
	if in.kubernetes == "" {
		return imagevector.AllVersions(), nil
	}
	asked, err := imagevector.ParseVersions(in.kubernetes)
	if err != nil {
		return asked, cli.Usage("-kubernetes: %v", err)
	}
	return asked, nil
}

// releases returns the Kubernetes releases that this repository knows.
func releases() ([]string, error) {
	catalog, _, err := versions.Load()
	if err != nil {
		return nil, err
	}
	list := make([]string, len(catalog.Manifest.Releases))
	for i, r := range catalog.Manifest.Releases {
		list[i] = r.Version.String()
	}
	return list, nil
}

// printJSON writes a value for programs.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
