package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// repository is where a base image is asked for: in its registry, or in the
// mirror in its place.
func (s *Fetcher) repository(key versions.BaseKey) (string, error) {
	repository := key.Image.Repository()
	switch {
	case s.Registry == Off:
		return "", errors.New("downloads are switched off; if not by HYPERKUBE_UPSTREAM=off, HYPERKUBE_REGISTRY_MIRROR can name a mirror of its registry")
	case s.Registry == "":
		return repository, nil
	case strings.Contains(s.Registry, "://"):
		return "", fmt.Errorf("HYPERKUBE_REGISTRY_MIRROR=%q: want HOST:PORT, or HOST:PORT/PATH, without https://", s.Registry)
	}
	_, path, _ := strings.Cut(repository, "/")
	return strings.TrimSuffix(s.Registry, "/") + "/" + path, nil
}

// manifest gets a manifest or an index into the store.
func (s *Fetcher) manifest(ctx context.Context, key versions.BaseKey, ref oci.Descriptor) error {
	repository, err := s.repository(key)
	if err != nil {
		return fmt.Errorf("the store lacks its manifest, sha256 %s: %w", ref.Digest, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stall, fmt.Errorf("no answer for %v", stall))
	defer cancel()
	raw, err := registry.Manifest(ctx, repository, ref.Digest)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return s.Store.Put(ctx, ref.Digest, ref.Size, repository, bytes.NewReader(raw))
}

// blob gets a config or a layer into the store, trying again where that may help.
func (s *Fetcher) blob(ctx context.Context, key versions.BaseKey, ref oci.Descriptor) error {
	repository, err := s.repository(key)
	if err != nil {
		return fmt.Errorf("the store lacks a blob of it, sha256 %s: %w", ref.Digest, err)
	}
	from := fmt.Sprintf("%s@sha256:%s", repository, ref.Digest)
	return s.again(ctx, key.String(), from, func() error { return s.blobOnce(ctx, repository, from, ref) })
}

func (s *Fetcher) blobOnce(ctx context.Context, repository, from string, ref oci.Descriptor) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	content, err := registry.Blob(ctx, repository, ref.Digest)
	if err != nil {
		return errors.Join(context.Cause(ctx), err) // the library has tried again
	}
	defer content.Close()
	task := s.Progress.Start("pulling "+from, "bytes", ref.Size)
	// One byte more than it may have tells what has more, also of nothing.
	body := &observed{r: io.LimitReader(content, ref.Size+1), saw: func(n int) {
		watch.Reset(stall)
		task.Add(int64(n))
	}}
	if err := s.Store.Put(ctx, ref.Digest, ref.Size, from, body); err != nil {
		task.Fail()
		var network net.Error
		switch cause := context.Cause(ctx); {
		case cause != nil:
			return &passingError{fmt.Errorf("pulling %s: %w", from, cause)}
		case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
			return &passingError{err}
		}
		return err // other bytes than those wanted: somebody has to look
	}
	task.Done()
	return nil
}
