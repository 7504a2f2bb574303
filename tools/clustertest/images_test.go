//go:build e2e && linux

package clustertest

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/image/record"
)

// layout returns an OCI layout of an image. Layouts are kept for the next run.
func (c *cluster) layout(image string) string {
	c.t.Helper()
	records, err := record.Read(c.repository)
	if err != nil {
		c.t.Fatal(err)
	}
	r, ok := records[image]
	if !ok {
		c.t.Fatalf("%s has no record in images/digests.json", image)
	}
	dir := filepath.Join(c.cache, "images", strings.TrimPrefix(r.Index, "sha256:"))
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
