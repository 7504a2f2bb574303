package debroot

import (
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

const said = `I: automatically chosen format: directory
I: running apt-get update...
Get:1 http://mirror.example/debian forky InRelease [151 kB]
I: downloading packages with apt...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.example/debian forky/main amd64 libc6 amd64 2.43-7 [1866 kB]
I: installing essential packages...
Unpacking libc6:amd64 (2.43-7) ...
Setting up libc6:amd64 (2.43-7) ...
Setting up bash (5.3) ...
I: installing remaining packages inside the chroot...
0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.
Setting up git (1:2) ...
`

func TestWatch(t *testing.T) {
	var out strings.Builder
	w := &watcher{what: "Debian forky", report: progress.New(&out)}
	// Lines come in any pieces.
	for _, piece := range strings.SplitAfter(said, "e") {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if got := w.failed(); !strings.HasSuffix(got, "; Setting up git (1:2) ...") {
		t.Errorf("the end of what was said is %q", got)
	}
	want := `Debian forky: updating the package lists: started
Debian forky: updating the package lists: done in 0s
Debian forky: installing: started, 2 packages
Debian forky: installing: done, 2 packages in 0s
Debian forky: installing: started, 3 packages
Debian forky: installing: stopped at 1 of 3 packages (33%) after 0s
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestWatchPrefersErrors(t *testing.T) {
	w := &watcher{report: progress.New(new(strings.Builder))}
	if _, err := w.Write([]byte("E: no such suite\nReading package lists...\nE: mmdebstrap failed to run\n")); err != nil {
		t.Fatal(err)
	}
	if got, want := w.failed(), "E: no such suite; E: mmdebstrap failed to run"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
