package diskspace

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckFree(t *testing.T) {
	dir := t.TempDir()
	free, err := Free(dir)
	if err != nil || free <= 0 {
		t.Fatalf("%d bytes are free (error %v), want some", free, err)
	}
	if err := CheckFree(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	err = CheckFree(dir, free+1<<40)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "HYPERKUBE_CACHE") {
		t.Errorf("a TiB too much: error %v, want the directory and the variable to set", err)
	}
	if err := CheckFree(filepath.Join(dir, "none"), 1); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}
