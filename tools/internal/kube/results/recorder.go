package results

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
)

// Recorder writes results and their table to a checkout.
type Recorder struct {
	Root  string // of the checkout
	Cache string // $HYPERKUBE_CACHE
}

const maxSize = 64 << 20

// Read returns the recorded results.
func (r Recorder) Read() (Results, error) {
	data, err := gotool.ReadFile(r.file(File), maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = Results{}.Format(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	return Parse(r.file(File), data)
}

// Record merges results into the file and renders the table. A binary that was
// built once stays recorded as built: a later failure to build it does not
// replace the result.
func (r Recorder) Record(ctx context.Context, results ...Result) error {
	dir := filepath.Join(r.Cache, "rebuild")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("recording results: %w", err)
	}
	lock, err := lockfile.Acquire(ctx, filepath.Join(dir, "results.lock"), lockfile.Wait{})
	if err != nil {
		return err
	}
	defer lock.Close()
	recorded, err := r.Read()
	if err != nil {
		return err
	}
	for _, result := range results {
		before, ok := recorded[result.Key]
		if ok && before.Outcome != Unbuildable && result.Outcome == Unbuildable {
			continue
		}
		result.Reason = r.redact(result.Reason)
		recorded[result.Key] = result
	}
	doc, err := gotool.ReadFile(r.file(DocFile), maxSize)
	if err != nil {
		return fmt.Errorf("updating the table of results: %w", err)
	}
	if doc, err = recorded.Insert(doc); err != nil {
		return err
	}
	return errors.Join(atomic.WriteFile(r.file(File), recorded.Format()), atomic.WriteFile(r.file(DocFile), doc))
}

var urls = regexp.MustCompile(`https?://[^\s"]*[^\s":]`)

// redact removes cache paths and mirror URLs from a reason: results are
// published, and these belong to one machine.
func (r Recorder) redact(reason string) string {
	return urls.ReplaceAllString(strings.ReplaceAll(reason, r.Cache, "$HYPERKUBE_CACHE"), "URL")
}

func (r Recorder) file(name string) string { return filepath.Join(r.Root, filepath.FromSlash(name)) }
