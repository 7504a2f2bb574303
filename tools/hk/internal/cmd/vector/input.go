package vector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/pflag"
)

// input has the flags that the commands share: the files to read, and the
// versions and architectures to select for.
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

// vectorFlags adds the flags that name files.
func (in *input) vectorFlags(fs *pflag.FlagSet) {
	fs.StringVar(&in.vector, "vector", "", "image vector `file`")
	in.overwriteFlag(fs, "overwrite `file` to merge into it; repeatable, the last one wins")
}

func (in *input) overwriteFlag(fs *pflag.FlagSet, usage string) {
	fs.StringArrayVar(&in.overwrites, "overwrite", nil, usage)
}

// formatFlags adds the flags that control how files are read and results written.
func (in *input) formatFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&in.compatible, "compatible", false, "read files as Gardener does, instead of strictly")
	fs.Func("generation", "meaning of the field \"version\": current (the version of the image), oldest (a constraint) or auto (default auto)", func(s string) error {
		generation, ok := map[string]imagevector.Generation{"auto": imagevector.Auto, "current": imagevector.Current, "oldest": imagevector.Oldest}[s]
		if !ok {
			return errors.New("want auto, current or oldest")
		}
		in.generation = generation
		return nil
	})
	fs.BoolVar(&in.json, "json", false, "print JSON")
}

// rangeFlags adds the flags that select versions and architectures. The note says
// what happens without --kubernetes.
func (in *input) rangeFlags(fs *pflag.FlagSet, note string) {
	fs.StringVar(&in.kubernetes, "kubernetes", "", "Kubernetes `versions`, such as 1.30..1.36, 1.30.2 or a comma-separated list ("+note+")")
	in.architectures = []string{"amd64", "arm64"}
	fs.Func("arch", "comma-separated `architectures` (default amd64,arm64)", parseArchitectures(&in.architectures))
}

// parseArchitectures returns the parser of a flag with a list of architectures.
func parseArchitectures(into *[]string) func(string) error {
	return func(s string) error {
		*into = strings.Split(s, ",")
		for _, a := range *into {
			if err := checkArchitecture(a); err != nil {
				return err
			}
		}
		return nil
	}
}

func checkArchitecture(a string) error {
	if a != "amd64" && a != "arm64" {
		return fmt.Errorf("unknown architecture %q: want amd64 or arm64", a)
	}
	return nil
}

// checkNames reports names that the vector does not have.
func (in *input) checkNames(v *imagevector.Vector, names []string) error {
	known := v.Names()
	for _, name := range names {
		if _, ok := slices.BinarySearch(known, name); !ok {
			return fmt.Errorf("finding image %q: not in %s; hk vector find --vector %s lists its images", name, in.vector, in.vector)
		}
	}
	return nil
}

func (in *input) read(ctx context.Context, file string) ([]byte, error) {
	f, err := ctxio.Open(ctx, in.env.Path(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// The library reports a file that exceeds its limit by a byte.
	return io.ReadAll(io.LimitReader(f, imagevector.MaxFileSize+1))
}

func (in *input) options(file string) []imagevector.Option {
	opts := []imagevector.Option{imagevector.WithFile(file), imagevector.WithGeneration(in.generation)}
	if in.compatible {
		opts = append(opts, imagevector.Compatible())
	}
	return opts
}

// load reads a vector.
func (in *input) load(ctx context.Context, file string, opts ...imagevector.Option) (*imagevector.Vector, error) {
	if file == "" {
		return nil, cli.Usage("missing --vector FILE")
	}
	data, err := in.read(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("reading image vector %q: %w", file, err)
	}
	v, err := imagevector.Parse(data, append(in.options(file), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("reading image vector %q: %w", file, err)
	}
	return v, nil
}

// loadMerged reads a vector and merges the overwrites into it.
func (in *input) loadMerged(ctx context.Context, file string) (*imagevector.Vector, error) {
	v, err := in.load(ctx, file)
	if err != nil {
		return nil, err
	}
	for _, file := range in.overwrites {
		over, err := in.load(ctx, file, imagevector.AsOverwrite(), imagevector.WithGeneration(v.Generation()))
		if err != nil {
			return nil, err
		}
		v = v.Overwrite(over)
	}
	return v, nil
}

// versions returns the Kubernetes versions of --kubernetes, released or not.
func (in *input) versions() (imagevector.Versions, error) {
	if in.kubernetes == "" {
		return imagevector.AllVersions(), nil
	}
	within, err := imagevector.ParseVersions(in.kubernetes)
	if err != nil {
		return within, cli.Usage("--kubernetes: %v", err)
	}
	return within, nil
}

// releases returns the Kubernetes releases of the manifest.
func releases() ([]string, error) {
	catalog, err := versions.Load()
	if err != nil {
		return nil, err
	}
	list := make([]string, len(catalog.Manifest.Releases))
	for i, r := range catalog.Manifest.Releases {
		list[i] = r.Version.String()
	}
	return list, nil
}

func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
