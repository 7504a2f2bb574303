package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"golang.org/x/sync/errgroup"
)

// Module is a module in the module cache, its sum checked.
type Module struct {
	Path, Version string
	Dir           string // unpacked
	Sum           string // "h1:…" of the zip
	Time          time.Time
	Commit        string // as far as the proxy tells; "" otherwise
}

// parallel is how many modules are fetched at once.
const parallel = 4

// Download fetches modules ("k8s.io/api@v0.36.0") and calls each after every
// one, from several goroutines. The result is in the order of names.
func (t *Tool) Download(ctx context.Context, names []string, each func(Module)) ([]Module, error) {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of modules: %w", err)
	}
	modules := make([]Module, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, name := range names {
		group.Go(func() error {
			m, err := t.download(ctx, name, nil)
			if err != nil {
				return err
			}
			modules[i] = m
			if each != nil {
				each(m)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return modules, nil
}

func (t *Tool) download(ctx context.Context, name string, settings []string) (Module, error) {
	cmd := t.Command(ctx, t.dir, "mod", "download", "-json", name)
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], settings...)
	out, err := Output(cmd)
	var answer struct {
		Path, Version, Error, Info, Dir, Sum string
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Module{}, fmt.Errorf("fetching module %q: %w", name, err)
	}
	if jerr := json.Unmarshal(out, &answer); jerr != nil || answer.Error != "" || err != nil {
		if answer.Error != "" {
			err = errors.New(strings.ReplaceAll(strings.TrimSpace(answer.Error), "\n\t", " "))
		}
		return Module{}, fmt.Errorf("fetching module %q: %w", name, errors.Join(err, jerr))
	}
	m := Module{Path: answer.Path, Version: answer.Version, Dir: answer.Dir, Sum: answer.Sum}
	if t.sums != nil {
		switch want := t.sums[m.Path+" "+m.Version]; want {
		case m.Sum:
		case "":
			return Module{}, fmt.Errorf("checking module %q: the given go.sum does not name it", name)
		default:
			return Module{}, fmt.Errorf("checking module %q: want sum %s, got %s", name, want, m.Sum)
		}
	}
	if answer.Info != "" {
		if err := m.readInfo(answer.Info); err != nil {
			return Module{}, fmt.Errorf("reading what the proxy says of module %q: %w", name, err)
		}
	}
	return m, nil
}

// IsNotServed reports whether an error is the module proxy's word that it does
// not have a module, or does not hand it out.
func IsNotServed(err error) bool { return err != nil && notServed.MatchString(err.Error()) }

var notServed = regexp.MustCompile(`: (403 Forbidden|404 Not Found|410 Gone)`)

func (m *Module) readInfo(path string) error {
	data, err := ReadFile(path, maxFile)
	if err != nil {
		return err
	}
	var info struct {
		Time   time.Time
		Origin struct{ Hash string }
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return err
	}
	m.Time, m.Commit = info.Time, info.Origin.Hash
	return nil
}

// DownloadToolchain fetches Go ("1.26.2") for this machine. Its GOROOT is the module's
// Dir. The go command insists on the checksum database here, even where a
// go.sum is given, unless GOPROXY is a folder.
func (t *Tool) DownloadToolchain(ctx context.Context, version, platform string) (Module, error) {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return Module{}, fmt.Errorf("making the folder of modules: %w", err)
	}
	name := "golang.org/toolchain@v0.0.1-go" + version + "." + strings.ReplaceAll(platform, "/", "-")
	m, err := t.download(ctx, name, []string{"GOSUMDB=" + t.sumdb})
	if err != nil {
		return Module{}, err
	}
	// A module zip has no run bits.
	for _, pattern := range []string{"bin/*", "pkg/tool/*/*"} {
		tools, err := filepath.Glob(filepath.Join(m.Dir, pattern))
		if err != nil {
			return Module{}, err
		}
		for _, tool := range tools {
			info, err := os.Stat(tool)
			if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 == 0 {
				err = os.Chmod(tool, 0o755)
			}
			if err != nil {
				return Module{}, fmt.Errorf("making a tool of go%s runnable: %w", version, err)
			}
		}
	}
	return m, nil
}

// RemoveModules removes the modules of a pattern ("k8s.io/*") in one version from the
// module cache.
func (t *Tool) RemoveModules(pattern, version string) error {
	mod := filepath.Join(t.dir, "mod")
	dirs, err := filepath.Glob(filepath.Join(mod, filepath.FromSlash(pattern)+"@"+version))
	if err != nil {
		return err
	}
	// The sums and what the proxy says are small, and good to have.
	zips, err := filepath.Glob(filepath.Join(mod, "cache", "download", filepath.FromSlash(pattern), "@v", version+".zip"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		// In one step: go takes what is left of a module for the whole of it.
		errs = append(errs, atomic.RemoveAll(dir))
	}
	for _, zip := range zips {
		errs = append(errs, os.Remove(zip))
	}
	return errors.Join(errs...)
}
