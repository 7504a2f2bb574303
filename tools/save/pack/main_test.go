package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/image/oci"
)

const name = "registry.example/empty:v1"

func code(t *testing.T, args ...string) int {
	t.Helper()
	return cli.Code("pack", io.Discard, run(t.Context(), cli.Env{Args: args, Out: io.Discard, Err: io.Discard}))
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	layout, file := filepath.Join(dir, "layout"), filepath.Join(dir, "images.tar")
	m, err := oci.Compose(oci.Image{OS: "linux", Arch: "arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := oci.WriteImage(layout, m, nil); err != nil {
		t.Fatal(err)
	}
	if got := code(t, "-o", file, "-platform", "linux/arm64", "-compression", "lz4", name+"="+layout); got != 0 {
		t.Fatalf("exit code %d", got)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := archive.ReadContents(bytes.NewReader(raw))
	if err != nil || c.Images[0].Name != name || c.Images[0].Digest.String() != m.Digest {
		t.Errorf("got %+v, %v", c, err)
	}
	for want, args := range map[int][][]string{
		cli.ExitUsage: {
			{},
			{"-o", file},
			{name + "=" + layout},
			{"-o", file, "-compression", "gzip", name + "=" + layout},
			{"-o", file, layout},
		},
		cli.ExitFailed: {
			{"-o", file, "-platform", "linux/amd64", name + "=" + layout}, {"-o", dir, name + "=" + layout},
		},
	} {
		for _, a := range args {
			if got := code(t, a...); got != want {
				t.Errorf("%q: exit code %d, want %d", a, got, want)
			}
		}
	}
}
