package content

import (
	"context"
	"fmt"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/imagefile"
	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
	"golang.org/x/sync/errgroup"
)

// maxStreams is the maximum number of files and layers that are read in parallel. It
// bounds the memory for decompression.
const maxStreams = 4

// Job writes one program.
type Job struct {
	Content Content
	// Create returns an output for the program. There may be several: all but one
	// are discarded.
	Create func() (imagefile.Output, error)
}

// Fetch writes programs in parallel. Each layer of an image is read once. Sums are
// not verified.
func (f Fetcher) Fetch(ctx context.Context, jobs []Job) error {
	group, ctx := errgroup.WithContext(ctx)
	streams := make(chan struct{}, maxStreams)
	images := map[string][]Job{}
	for _, job := range jobs {
		if s := job.Content.source; s.Kind == source.Image {
			images[s.Ref.Name()] = append(images[s.Ref.Name()], job)
			continue
		}
		group.Go(func() error {
			select {
			case streams <- struct{}{}:
				defer func() { <-streams }()
				return f.write(ctx, job)
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}
	for _, jobs := range images {
		group.Go(func() error { return f.writeImage(ctx, jobs, streams) })
	}
	return group.Wait()
}

// write writes a program that is not in an image of a registry.
func (f Fetcher) write(ctx context.Context, job Job) error {
	c := job.Content
	path, err := c.path()
	if err != nil {
		return c.wrap(err)
	}
	output, err := job.Create()
	if err != nil {
		return err
	}
	switch {
	case path != "":
		err = copyFile(ctx, output, path)
	case c.source.Kind == source.Download:
		err = f.download(ctx, output, c.source.URL)
	default:
		err = fmt.Errorf("unknown kind of source %d", c.source.Kind)
	}
	if err != nil {
		_ = output.Discard() // the first error counts
		return c.wrap(err)
	}
	return output.Commit()
}

// writeImage writes programs of one image.
func (f Fetcher) writeImage(ctx context.Context, jobs []Job, streams chan struct{}) error {
	first := jobs[0].Content
	layers, err := f.layers(ctx, first.source.Ref)
	if err != nil {
		return first.wrap(err)
	}
	var files []imagefile.File
	for _, job := range jobs {
		files = append(files, imagefile.File{Path: job.Content.source.Path, Create: job.Create, Done: func(o imagefile.Output, err error) error {
			if err != nil {
				return job.Content.wrap(err)
			}
			return o.Commit()
		}})
	}
	return imagefile.Extract(ctx, files, f.MaxSize, layers, streams)
}
