package imagefile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// extraction is the state of a call of [Extract].
type extraction struct {
	files  []File
	finish func(func() error) // calls a function in another goroutine
	stop   func()             // cancels scans

	mu      sync.Mutex
	layers  []scanned // lowest first
	decided []bool    // by file
}

// scanned is the result of the scan of a layer.
type scanned struct {
	done    bool
	err     error
	targets []*target // by file
}

// Extract reads files. Layers are in the order of the manifest, the lowest first. A
// file of more than limit bytes is an error.
//
// Layers are read in parallel, as far as streams has capacity, the uppermost first.
// Layers below those that decide about all files need not be read.
func Extract(ctx context.Context, files []File, limit int64, layers []Layer, streams chan struct{}) error {
	group, groupCtx := errgroup.WithContext(ctx)
	scans, stop := context.WithCancel(groupCtx)
	defer stop()
	e := &extraction{
		files: files, layers: make([]scanned, len(layers)), decided: make([]bool, len(files)),
		finish: group.Go, stop: stop,
	}
	for i, layer := range slices.Backward(layers) {
		select {
		case streams <- struct{}{}:
			group.Go(func() error {
				s := newScanner(files, limit)
				err := scan(scans, layer, s)
				<-streams
				e.add(i, scanned{true, err, s.targets})
				return nil
			})
		case <-scans.Done():
		}
	}
	if len(layers) == 0 {
		e.decide()
	}
	err := group.Wait()
	if err == nil && slices.Contains(e.decided, false) {
		err = context.Cause(ctx)
	}
	return errors.Join(err, e.discard())
}

// add adds the result of a layer.
func (e *extraction) add(i int, s scanned) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.layers[i] = s
	e.decide()
}

// decide ends the files that the layers scanned so far decide about.
func (e *extraction) decide() {
	for i, file := range e.files {
		if e.decided[i] {
			continue
		}
		output, err, ok := e.find(i)
		if !ok {
			continue
		}
		e.decided[i] = true
		e.finish(func() error { return file.Done(output, err) })
	}
	if !slices.Contains(e.decided, false) {
		e.stop()
	}
}

// find returns the output of a file. It is not ok if a layer must be scanned first.
func (e *extraction) find(file int) (_ Output, _ error, ok bool) {
	n := len(e.layers)
	for i, layer := range slices.Backward(e.layers) {
		if !layer.done {
			return nil, nil, false
		}
		t := layer.targets[file]
		err := layer.err
		if err == nil {
			err = t.checkConflict()
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading layer %d of %d: %w", i+1, n, err), true
		case t.output != nil:
			output := t.output
			t.output = nil // Done ends it
			return output, nil, true
		case t.removed != "":
			return nil, fmt.Errorf("file %q not found in the image: layer %d of %d removes %q", t.Path, i+1, n, t.removed), true
		}
	}
	return nil, fmt.Errorf("file %q not found in the %d layers of the image", e.files[file].Path, n), true
}

// discard ends the outputs of files that are not in the image: an upper layer
// replaces them, or their layer is invalid.
func (e *extraction) discard() error {
	var errs []error
	for _, layer := range e.layers {
		for _, t := range layer.targets {
			if t.output != nil {
				errs = append(errs, t.output.Discard())
			}
		}
	}
	return errors.Join(errs...)
}
