package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// recorder keeps results in the repository.
type recorder struct {
	root string // of the repository
	lock string // taken while writing
}

func (r *rebuilder) recorder() recorder {
	return recorder{root: r.config.root, lock: filepath.Join(r.config.cache, "results.lock")}
}

// keptAs maps what is said to people to what is kept. What was in the store
// already is no result.
var keptAs = map[status]string{matched: results.Matched, differs: results.Differs, unbuildable: results.Unbuildable}

// record writes results, and the table of all of them.
func (r recorder) record(ctx context.Context, news []outcome) error {
	if err := os.MkdirAll(filepath.Dir(r.lock), 0o755); err != nil {
		return fmt.Errorf("recording results: %w", err)
	}
	lock, err := lockfile.Acquire(ctx, r.lock, nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	known, err := r.read()
	if err != nil {
		return err
	}
	for _, o := range news {
		kept, ok := keptAs[o.status]
		before, _ := known.Get(results.Key{Version: o.job.version, Platform: o.job.platform, Binary: o.job.binary})
		// What was built once can be built.
		if !ok || o.passing || o.status == unbuildable && before.Outcome != "" && before.Outcome != results.Unbuildable {
			continue
		}
		known.Set(results.Result{
			Version: o.job.version, Platform: o.job.platform, Binary: o.job.binary,
			Outcome: kept, SHA256: o.got, Why: r.general(o.why), Lacks: o.lacks,
			Toolchain: o.made.toolchain, System: o.made.system, Compiler: o.made.compiler, Commit: o.made.commit,
			Seconds: int(o.made.wall.Round(time.Second) / time.Second), PeakMiB: int(o.made.peak >> 20), With: o.made.with,
		})
	}
	if err := writeFile(r.file(results.File), known.Format()); err != nil {
		return err
	}
	doc, err := os.ReadFile(r.file(results.DocFile))
	if err != nil {
		return fmt.Errorf("updating the table of results: %w", err)
	}
	if doc, err = known.Insert(doc); err != nil {
		return err
	}
	return writeFile(r.file(results.DocFile), doc)
}

var address = regexp.MustCompile(`https?://[^\s"]+`)

// general takes out of a reason what is of this machine alone: where its
// folders are, and whom it asks for modules.
func (r recorder) general(why string) string {
	why = strings.ReplaceAll(why, filepath.Dir(filepath.Dir(r.lock)), "$HYPERKUBE_CACHE")
	return address.ReplaceAllString(why, "(an address)")
}

func (r recorder) read() (*results.Results, error) {
	name := r.file(results.File)
	data, err := gotool.ReadFile(name, 64<<20)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = []byte(`{"schema": 1, "results": []}`), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	return results.Parse(name, data)
}

func (r recorder) file(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }
