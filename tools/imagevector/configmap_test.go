package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// What Kubernetes would refuse is not written.
func TestLargeConfigMap(t *testing.T) {
	dir := t.TempDir()
	text := "images:\n" + strings.Repeat("# comment\n", maxConfigMap/10) + "- {name: a, repository: example.com/a}\n"
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-overwrite", "mine.yaml"}, {"-overwrite", "mine.yaml", "-helm"}} {
		var out bytes.Buffer
		err := configMap(t.Context(), cli.Env{Args: args, Dir: dir, Out: &out, Err: &out})
		if err == nil || !strings.Contains(err.Error(), `writing ConfigMap "gardenlet-images-overwrite": `) || out.Len() > 0 {
			t.Errorf("%v: %v, written are %d bytes", args, err, out.Len())
		}
	}
}
