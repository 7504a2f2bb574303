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

// Module is a verified module in the module cache.
type Module struct {
	Path, Version string
	Dir           string // extracted source
	Sum           string // "h1:…" of the zip
	Time          time.Time
	Commit        string // "" if the proxy does not provide it
}

// maxDownloads is the number of concurrent downloads.
const maxDownloads = 4

// Download downloads modules, such as "k8s.io/api@v0.36.0", and calls each after
// every one, from several goroutines. The result is in the order of names.
func (t *Tool) Download(ctx context.Context, names []string, each func(Module)) ([]Module, error) {
	modules := make([]Module, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxDownloads)
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

func (t *Tool) download(ctx context.Context, name string, env []string) (Module, error) {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return Module{}, fmt.Errorf("creating the module directory: %w", err)
	}
	cmd := t.Command(ctx, t.dir, "mod", "download", "-json", name)
	cmd.Env = append(cmd.Env, env...)
	out, err := Output(cmd)
	var result struct {
		Path, Version, Error, Info, Dir, Sum string
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Module{}, fmt.Errorf("downloading module %q: %w", name, err)
	}
	if jerr := json.Unmarshal(out, &result); jerr != nil || result.Error != "" || err != nil {
		if result.Error != "" {
			err = errors.New(strings.ReplaceAll(strings.TrimSpace(result.Error), "\n\t", " "))
		}
		return Module{}, fmt.Errorf("downloading module %q: %w", name, errors.Join(err, jerr))
	}
	m := Module{Path: result.Path, Version: result.Version, Dir: result.Dir, Sum: result.Sum}
	if t.sums != nil {
		switch want := t.sums[m.Path+" "+m.Version]; want {
		case m.Sum:
		case "":
			return Module{}, fmt.Errorf("verifying module %q: missing in go.sum", name)
		default:
			return Module{}, fmt.Errorf("verifying module %q: want sum %s, got %s", name, want, m.Sum)
		}
	}
	if result.Info != "" {
		if err := m.readInfo(result.Info); err != nil {
			return Module{}, fmt.Errorf("reading the metadata of module %q: %w", name, err)
		}
	}
	return m, nil
}

// IsNotServed reports whether the module proxy responded that it does not serve a
// module.
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

// DownloadToolchain downloads a Go release, such as "1.26.2". Its GOROOT is the Dir of
// the module. The go command verifies it with the checksum database even if a
// go.sum is given, unless GOPROXY is a directory.
func (t *Tool) DownloadToolchain(ctx context.Context, version, platform string) (Module, error) {
	name := "golang.org/toolchain@v0.0.1-go" + version + "." + strings.ReplaceAll(platform, "/", "-")
	m, err := t.download(ctx, name, []string{"GOSUMDB=" + t.sumdb})
	if err != nil {
		return Module{}, err
	}
	// Module zips do not have executable bits.
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
				return Module{}, fmt.Errorf("making a tool of go%s executable: %w", version, err)
			}
		}
	}
	return m, nil
}

// RemoveModules removes the modules that match a pattern, such as "k8s.io/*", in one
// version from the module cache.
func (t *Tool) RemoveModules(pattern, version string) error {
	mod := filepath.Join(t.dir, "mod")
	dirs, err := filepath.Glob(filepath.Join(mod, filepath.FromSlash(pattern)+"@"+version))
	if err != nil {
		return err
	}
	// Checksums and metadata are small, and are kept.
	zips, err := filepath.Glob(filepath.Join(mod, "cache", "download", filepath.FromSlash(pattern), "@v", version+".zip"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		// The go command uses a partly removed module.
		errs = append(errs, atomic.RemoveAll(dir))
	}
	for _, zip := range zips {
		errs = append(errs, os.Remove(zip))
	}
	return errors.Join(errs...)
}
