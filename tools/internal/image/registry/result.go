package registry

import (
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
)

// Result is the result of a push, or of its dry run.
type Result struct {
	Repository string `json:"repository"`
	Digest     string `json:"digest"`
	DryRun     bool   `json:"dryRun,omitempty"`
	// Blobs and Manifests are those of a dry run, in the order of a push. They are
	// empty if the repository has the content tag with this digest.
	Blobs     []Upload     `json:"blobs,omitempty"`
	Manifests []Upload     `json:"manifests,omitempty"`
	Referrers []Attachment `json:"referrers,omitempty"` // not only of a dry run
	Tags      []Tag        `json:"tags"`
}

// Upload is a blob or a manifest of a push.
type Upload struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"` // in bytes
	Status Status `json:"status"`
}

// Tag is a tag of a repository.
type Tag struct {
	Tag      string `json:"tag"`
	Status   Status `json:"status"`
	Previous string `json:"previous,omitempty"` // the current digest, if it is another one
}

// Status describes what a push does.
type Status string

// The statuses of blobs, manifests and tags.
const (
	StatusExists  Status = "exists"  // the registry has it already
	StatusSend    Status = "send"    // to be sent, in a dry run
	StatusSent    Status = "sent"    // sent, except in a dry run
	StatusRefused Status = "refused" // a tag with another digest
	StatusKept    Status = "kept"    // the content tag with another digest
)

// Print prints a result in lines: the digest, and all statuses of a dry run.
func (r Result) Print(w io.Writer) {
	fmt.Fprintf(w, "%s@%s\n", r.Repository, r.Digest)
	if !r.DryRun {
		return
	}
	for _, b := range r.Blobs {
		fmt.Fprintf(w, "blob %s %d bytes: %s\n", b.Digest, b.Size, b.Status)
	}
	for _, m := range r.Manifests {
		fmt.Fprintf(w, "manifest %s %d bytes: %s\n", m.Digest, m.Size, m.Status)
	}
	for _, a := range r.Referrers {
		fmt.Fprintf(w, "referrer %s of %s, %s: %s\n", a.Digest, a.Subject, a.ArtifactType, a.Status)
	}
	for _, t := range r.Tags {
		fmt.Fprintf(w, "tag %s: %s", t.Tag, t.Status)
		if t.Previous != "" {
			fmt.Fprintf(w, ", was %s", t.Previous)
		}
		fmt.Fprintln(w)
	}
}

// checkContent adds the blobs and manifests of a layout to the result of a dry run.
func (r run) checkContent(ctx context.Context, content layout.Content, result *Result) error {
	add := func(list *[]Upload, desc v1.Descriptor, exists bool) {
		u := Upload{desc.Digest.String(), desc.Size, StatusSend}
		if exists {
			u.Status = StatusExists
		}
		*list = append(*list, u)
	}
	for _, desc := range content.Blobs {
		exists, err := r.hasBlob(ctx, desc)
		if err != nil {
			return err
		}
		add(&result.Blobs, desc, exists)
	}
	for _, desc := range content.Manifests {
		_, err := r.puller.Head(ctx, r.repo.Digest(desc.Digest.String()))
		if err != nil && !isNotFound(err) {
			return fmt.Errorf("checking %s@%s: %w", r.repo, desc.Digest, httplimit.EscapeError(err))
		}
		add(&result.Manifests, desc, err == nil)
	}
	return nil
}

// hasBlob reports whether the repository has a blob.
func (r run) hasBlob(ctx context.Context, desc v1.Descriptor) (exists bool, err error) {
	layer, err := r.puller.Layer(ctx, r.repo.Digest(desc.Digest.String()))
	if err == nil {
		exists, err = partial.Exists(layer)
	}
	if err != nil {
		err = fmt.Errorf("checking %s@%s: %w", r.repo, desc.Digest, httplimit.EscapeError(err))
	}
	return exists, err
}
