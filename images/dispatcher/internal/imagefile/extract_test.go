package imagefile

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// extract extracts files and returns their contents and the number of outputs that
// were neither committed nor discarded.
func extract(t *testing.T, layers []Layer, paths ...string) (contents []string, open int64, err error) {
	t.Helper()
	contents = make([]string, len(paths))
	var files []File
	var outputs atomic.Int64
	for i, path := range paths {
		files = append(files, File{
			Path: path,
			Create: func() (Output, error) {
				outputs.Add(1)
				return &counted{open: &outputs}, nil
			},
			Done: func(o Output, err error) error {
				if err != nil {
					return err
				}
				contents[i] = o.(*counted).String()
				return o.Commit()
			},
		})
	}
	err = Extract(t.Context(), files, 100, layers, make(chan struct{}, 4))
	return contents, outputs.Load(), err
}

type counted struct {
	memory
	open *atomic.Int64
}

func (c *counted) Commit() error  { c.open.Add(-1); return nil }
func (c *counted) Discard() error { c.open.Add(-1); return nil }

func TestExtractMany(t *testing.T) {
	bottom, top := layer(archive(t, "a=old", "b=1", "d=4")), layer(archive(t, "a=new", "c=3", ".wh.d="))
	layers := []Layer{bottom, top}
	got, open, err := extract(t, layers, "/a", "/b", "/c", "/a")
	if want := "new 1 3 new"; strings.Join(got, " ") != want || err != nil || open != 0 {
		t.Errorf("got %q, %v, and %d open outputs; want %s", got, err, open, want)
	}
	for path, want := range map[string]string{
		"/d": `layer 2 of 2 removes "/d"`,
		"/e": `file "/e" not found in the 2 layers`,
	} {
		if _, open, err := extract(t, layers, "/a", "/b", path); err == nil || !strings.Contains(err.Error(), want) || open != 0 {
			t.Errorf("got %v, and %d open outputs; want %s", err, open, want)
		}
	}
}

// A layer below those that have all files need not be complete.
func TestExtractStops(t *testing.T) {
	stopped := make(chan struct{})
	endless := func(ctx context.Context) (io.ReadCloser, error) {
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	}
	got, open, err := extract(t, []Layer{endless, layer(archive(t, "a=1")), layer(archive(t, "b=2"))}, "/a", "/b")
	if strings.Join(got, " ") != "1 2" || err != nil || open != 0 {
		t.Errorf("got %q, %v, and %d open outputs", got, err, open)
	}
	<-stopped
	// The error of a layer counts only if it is needed, whichever is read first.
	broken := func(context.Context) (io.ReadCloser, error) { return nil, errors.New("broken") }
	slow := func(ctx context.Context) (io.ReadCloser, error) {
		time.Sleep(50 * time.Millisecond)
		return layer(archive(t, "a=1"))(ctx)
	}
	if got, _, err := extract(t, []Layer{broken, slow}, "/a"); got[0] != "1" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, open, err := extract(t, []Layer{broken, slow}, "/a", "/b"); err == nil || !strings.Contains(err.Error(), "reading layer 1 of 2: broken") || open != 0 {
		t.Errorf("got %v, and %d open outputs", err, open)
	}
}

// Layers are read in parallel.
func TestExtractParallel(t *testing.T) {
	var started atomic.Int64
	wait := func(data []byte) Layer {
		return func(ctx context.Context) (io.ReadCloser, error) {
			started.Add(1)
			for deadline := time.Now().Add(10 * time.Second); started.Load() < 2; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					return nil, errors.New("the other layer was not opened")
				}
			}
			return layer(data)(ctx)
		}
	}
	if got, _, err := extract(t, []Layer{wait(archive(t, "a=1")), wait(archive(t, "b=2"))}, "/a", "/b"); strings.Join(got, " ") != "1 2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
