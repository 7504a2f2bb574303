package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
)

// A push obtains a layer that is absent from the layout only if the repository does
// not have it.
func TestPushFetchesLayers(t *testing.T) {
	host, _ := server(t)
	dir, cas, fetched := randomLayout(t), t.TempDir(), t.TempDir()
	content, err := layout.Open(dir, fetched)
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	for _, desc := range content.Blobs {
		if !desc.MediaType.IsConfig() {
			layers = append(layers, desc.Digest.Hex)
			if err := os.Rename(filepath.Join(dir, "blobs", "sha256", desc.Digest.Hex), filepath.Join(cas, desc.Digest.Hex)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var asked []string
	p := Push{Repository: host + "/a", Tags: []string{"v1"}, Fetch: func(_ context.Context, desc v1.Descriptor) error {
		asked = append(asked, desc.Digest.Hex)
		return os.Rename(filepath.Join(cas, desc.Digest.Hex), filepath.Join(fetched, desc.Digest.Hex))
	}}
	p.DryRun = true
	if r, err := p.Run(t.Context(), quiet(), content); err != nil || len(asked) > 0 || r.Blobs[0].Status != StatusSend {
		t.Fatalf("dry run: fetched %q, %+v, %v", asked, r, err)
	}
	p.DryRun = false
	if _, err := p.Run(t.Context(), quiet(), content); err != nil || !slices.Equal(asked, layers) {
		t.Fatalf("fetched %q, want %q, %v", asked, layers, err)
	}
	ref, err := name.ParseReference(host + "/a:v1")
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err == nil {
		err = validate.Index(index)
	}
	if err != nil {
		t.Fatal(err)
	}

	// The repository has all layers: nobody needs them.
	if err := os.RemoveAll(fetched); err != nil {
		t.Fatal(err)
	}
	asked = nil
	p.Tags = []string{"v2"}
	if _, err := p.Run(t.Context(), quiet(), content); err != nil || len(asked) > 0 {
		t.Errorf("fetched %q, %v", asked, err)
	}

	// Another registry has none, and they cannot be fetched.
	other, writes := server(t)
	p.Repository = other + "/a"
	for _, fetch := range []func(context.Context, v1.Descriptor) error{p.Fetch, nil} {
		p.Fetch = fetch
		_, err := p.Run(t.Context(), quiet(), content)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), layers[0]) || len(writes()) > 0 {
			t.Errorf("got %v", err)
		}
	}
}
