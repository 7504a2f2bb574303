package search

import (
	"path/filepath"
	"testing"
)

func TestCheckpoints(t *testing.T) {
	f := checkpointFile(filepath.Join(t.TempDir(), "search", "checkpoints.json"))
	first := checkpoint{Program: "p", Want: "w", Space: "s"}
	saved := first
	saved.Next = 7
	for _, c := range []checkpoint{{Program: "other", Next: 3}, {Program: "p", Want: "w", Space: "s", Next: 5}, saved} {
		if err := f.save(c); err != nil {
			t.Fatal(err)
		}
	}
	for c, want := range map[checkpoint]int64{
		first:                                 7,
		{Program: "other"}:                    3,
		{Program: "x", Want: "w", Space: "s"}: 0, // other sources
		{Program: "p", Want: "x", Space: "s"}: 0,
		{Program: "p", Want: "w", Space: "x"}: 0,
	} {
		if got, err := f.next(c); got != want || err != nil {
			t.Errorf("%v: continues at %d (error %v), want %d", c, got, err, want)
		}
	}
}
