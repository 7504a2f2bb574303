package identify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"golang.org/x/sync/errgroup"
)

// Bounds of a walk.
const (
	maxEntries = 10_000_000
	maxDepth   = 256
	maxErrors  = 100 // that are kept
	workers    = 2
)

// Host has the answers for the files of a directory that look like Kubernetes.
type Host struct {
	Dir     string   `json:"dir"`
	Scanned int      `json:"scanned"` // regular files
	Files   []Answer `json:"files"`   // by path
	// Unreadable is the number of entries that could not be read, and Errors has the
	// first reasons.
	Unreadable int      `json:"unreadable,omitempty"`
	Errors     []string `json:"errors,omitempty"`
}

// Host finds all binaries of Kubernetes below a directory: Go programs with its build
// information or with a pin, and executable files with the name of a binary. It
// follows no symlink, and stays on one file system.
func (i *Index) Host(ctx context.Context, dir string) (Host, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Host{}, fmt.Errorf("scanning %q: %w", dir, err)
	}
	defer root.Close()
	w := &walk{index: i, root: root, host: Host{Dir: dir, Files: []Answer{}}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	scanned := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			w.fail(err)
			return nil
		}
		skip, err := w.visit(name, entry)
		if skip || err != nil || !entry.Type().IsRegular() {
			return err
		}
		scanned++
		group.Go(func() error { return w.examine(ctx, name) })
		return nil
	})
	if err := errors.Join(err, group.Wait()); err != nil {
		return Host{}, fmt.Errorf("scanning %q: %w", dir, err)
	}
	w.host.Scanned = scanned
	slices.SortFunc(w.host.Files, func(a, b Answer) int { return strings.Compare(a.Input, b.Input) })
	return w.host, nil
}

type walk struct {
	index   *Index
	root    *os.Root
	device  uint64
	entries int

	mu   sync.Mutex // of host
	host Host
}

// visit returns [fs.SkipDir] for a directory of another file system, and skips
// other entries that are not on the file system of the root.
func (w *walk) visit(name string, entry fs.DirEntry) (skip bool, err error) {
	if w.entries++; w.entries > maxEntries {
		return true, fmt.Errorf("want at most %d entries, got more. Fix: name a smaller directory", maxEntries)
	}
	if !entry.IsDir() {
		return false, nil // only a directory can be a mount point that matters
	}
	info, err := entry.Info()
	if err != nil {
		w.fail(err)
		return true, fs.SkipDir
	}
	device := deviceOf(info)
	if name == "." {
		w.device = device
	}
	if device != w.device || strings.Count(name, "/") >= maxDepth {
		return true, fs.SkipDir
	}
	return false, nil
}

// examine adds an answer if a file looks like Kubernetes.
func (w *walk) examine(ctx context.Context, name string) error {
	f, err := w.root.OpenFile(name, openFlags, 0)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			w.fail(err)
		}
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || deviceOf(info) != w.device {
		return nil
	}
	named := w.index.programs[path.Base(name)] && info.Mode()&0o111 != 0
	r := ctxio.NewReader(ctx, f)
	head := make([]byte, min(headSize, info.Size()))
	n, err := io.ReadFull(r, head)
	if err == nil && (named || isGoProgram(head)) {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			err = w.scan(r, name, named)
		}
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		w.fail(fmt.Errorf("reading %q after %d bytes: %w", name, n, err))
	}
	return ctx.Err()
}

func (w *walk) scan(r io.Reader, name string, named bool) error {
	facts, err := scan(r, maxFile)
	if err != nil {
		return err
	}
	if a := w.index.judgeHere(filepath.Join(w.host.Dir, name), facts); named || a.Verdict != NotFound {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.host.Files = append(w.host.Files, a)
	}
	return nil
}

func (w *walk) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.host.Unreadable++; len(w.host.Errors) < maxErrors {
		w.host.Errors = append(w.host.Errors, err.Error())
	}
}
