//go:build e2e && linux

package clustertest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/record"
)

// build builds all images, and removes layouts that are no longer needed.
func (c *cluster) build() {
	c.t.Helper()
	var used []string
	for _, image := range []string{hyper, rke, hypokube} {
		used = append(used, c.layout(image))
	}
	kept, err := filepath.Glob(filepath.Join(c.cache, "images", "*"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, dir := range kept {
		if !slices.Contains(used, dir) {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// layout returns an OCI layout of an image. The layout of an image on record is kept
// for the next run.
func (c *cluster) layout(image string) string {
	c.t.Helper()
	flavor, _, _ := strings.Cut(image, ":")
	records, err := record.Read(c.repository)
	if err != nil {
		c.t.Fatal(err)
	}
	dir := filepath.Join(c.dir, "images", flavor)
	if r, ok := records[image]; ok {
		dir = filepath.Join(c.cache, "images", strings.TrimPrefix(r.Index, "sha256:"))
	}
	if _, err := os.Stat(dir); err != nil {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			c.t.Fatal(err)
		}
		c.host(c.hk, "build", image, "-o", dir)
	}
	return dir
}

// push pushes a layout to repositories of the registry of the first node.
func (c *cluster) push(image string, repositories ...string) {
	c.t.Helper()
	dir := c.layout(image)
	for _, repository := range repositories {
		c.output(c.node1.InNetwork(c.ctx, c.hk, "push", image, "--layout", dir, "--repository", "localhost:5000/"+repository))
	}
}
