package proofs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/upstream"
	"github.com/hyperkube/hyperkube/versions"
	"golang.org/x/sync/errgroup"
)

// parallel is the number of files that are fetched at once. The transparency log limits
// the rate of requests.
const parallel = 4

// Fetched counts the results of [Store.Fetch].
type Fetched struct {
	Bundles     int // of files and of SPDX documents, stored
	Unpublished int // files without a proof, of which upstream has no signature
}

// FetchOptions configure [Store.Fetch].
type FetchOptions struct {
	Client   *upstream.Client
	Progress *progress.Reporter
	// Documents fetches SPDX documents first, and signatures of files only for those
	// that no document lists.
	Documents bool
}

// Fetch stores the proofs of all signed files that have none: the signature of each file
// and, if a version has a file without a valid one, the SPDX document. A proof that is
// refused is an error, after all others are stored; a failed request ends it.
func (s *Store) Fetch(ctx context.Context, o FetchOptions) (n Fetched, err error) {
	byVersion := map[versions.Version][]versions.Pin{}
	var all []versions.Version
	for _, pin := range s.Signed() {
		if byVersion[pin.Version] == nil {
			all = append(all, pin.Version)
		}
		byVersion[pin.Version] = append(byVersion[pin.Version], pin)
	}
	task := o.Progress.Start("fetching proofs", "releases", int64(len(all)))
	var refused []error
	for _, v := range slices.Backward(all) { // the newest version first
		err := s.fetchVersion(ctx, o, byVersion[v], &n)
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			task.Fail()
			return n, errors.Join(append(refused, err)...)
		}
		if err != nil {
			refused = append(refused, err)
		}
		task.Add(1)
	}
	task.Done()
	return n, errors.Join(refused...)
}

// fetchVersion fetches the proofs of one version. Refusals of file signatures do not
// count for files that the SPDX document proves.
func (s *Store) fetchVersion(ctx context.Context, o FetchOptions, pins []versions.Pin, n *Fetched) error {
	refused := map[versions.FileKey]error{}
	var errs []error
	document := func() error {
		added, err := s.fetchDocument(ctx, o.Client, pins[0])
		var refusal *Refusal
		switch {
		case errors.Is(err, upstream.ErrNotPublished):
		case errors.As(err, &refusal):
			errs = append(errs, err)
		case err != nil:
			return err
		case added:
			n.Bundles++
		}
		return nil
	}
	without := s.without(ctx, pins)
	if o.Documents && len(without) > 0 {
		if err := document(); err != nil {
			return err
		}
		without = s.without(ctx, without)
	}
	var mutex sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx) // the first failed request ends all
	group.SetLimit(parallel)
	for _, pin := range without {
		group.Go(func() error {
			b, err := o.Client.Bundle(groupCtx, pin.URL, pin.SHA256)
			switch {
			case errors.Is(err, upstream.ErrInvalid):
				err = refuse(err)
			case err == nil:
				_, err = s.Add(groupCtx, pin, b)
			}
			mutex.Lock()
			defer mutex.Unlock()
			var refusal *Refusal
			switch {
			case err == nil:
				n.Bundles++
			case errors.As(err, &refusal):
				refused[pin.FileKey] = err
			case !errors.Is(err, upstream.ErrNotPublished):
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	without = s.without(ctx, without)
	if len(without) > 0 && !o.Documents {
		if err := document(); err != nil {
			return err
		}
		without = s.without(ctx, without)
	}
	for _, pin := range without {
		_, known := s.verifier.Policy.Mismatch(pin.FileKey)
		switch err := refused[pin.FileKey]; {
		case err == nil:
			n.Unpublished++
		case known:
			o.Progress.Logf("known mismatch: %v", err)
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// without returns those of a version's pins that have no valid proof.
func (s *Store) without(ctx context.Context, pins []versions.Pin) []versions.Pin {
	var without []versions.Pin
	if len(pins) == 0 {
		return nil
	}
	doc, err := s.document(ctx, pins[0].Version)
	for _, pin := range pins {
		if s.file(ctx, pin, doc, err).Status != Proven {
			without = append(without, pin)
		}
	}
	return without
}

// fetchDocument fetches and stores the SPDX document of a pin's version.
func (s *Store) fetchDocument(ctx context.Context, client *upstream.Client, pin versions.Pin) (bool, error) {
	base, ok := strings.CutSuffix(pin.URL, ReleasePath(pin.FileKey))
	if !ok {
		return false, fmt.Errorf("the URL of %s does not end in %q: %q", pin.FileKey, ReleasePath(pin.FileKey), pin.URL)
	}
	data, b, err := client.Document(ctx, base+Document)
	if errors.Is(err, upstream.ErrInvalid) {
		return false, refuse(err)
	}
	if err != nil {
		return false, err
	}
	return s.AddDocument(ctx, pin.Version, data, b)
}
