package vector

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// A file above the size limit is an error, and not read in part.
func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	text := "images: []\n#" + strings.Repeat("x", imagevector.MaxFileSize)
	if err := os.WriteFile(filepath.Join(dir, "images.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), cli.Env{Args: []string{"vector", "find", "--vector", "images.yaml"}, Dir: dir, Out: &out, Err: &out})
	if err == nil || err.Error() != `reading image vector "images.yaml": file exceeds the limit of 8388608 bytes` {
		t.Error(err)
	}
}

// A ConfigMap above the size limit of Kubernetes is an error.
func TestLargeConfigMap(t *testing.T) {
	dir := t.TempDir()
	text := "images:\n" + strings.Repeat("# comment\n", maxConfigMap/10) + "- {name: a, repository: example.com/a}\n"
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--overwrite", "mine.yaml"}, {"--overwrite", "mine.yaml", "--helm"}} {
		var out bytes.Buffer
		err := run(t.Context(), cli.Env{Args: append([]string{"vector", "configmap"}, args...), Dir: dir, Out: &out, Err: &out})
		if err == nil || !strings.Contains(err.Error(), `writing ConfigMap "gardenlet-images-overwrite": `) || out.Len() > 0 {
			t.Errorf("%v: error %v, %d bytes written", args, err, out.Len())
		}
	}
}
