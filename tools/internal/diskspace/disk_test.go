package diskspace

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestNeed(t *testing.T) {
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
		t.Errorf("a TiB too much: error %v, want one that says where, and what to do", err)
	}
	if err := CheckFree(filepath.Join(dir, "none"), 1); err == nil {
		t.Error("a folder that is not there has room")
	}
	if err := SyncFS(dir); err != nil {
		t.Error(err)
	}
}
