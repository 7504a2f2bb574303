package debian

import (
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

const output = `I: automatically chosen format: directory
I: running apt-get update...
Get:1 http://mirror.example/debian forky InRelease [151 kB]
I: downloading packages with apt...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Need to get 2.5 MB/3 MB of archives.
Get:1 http://mirror.example/debian forky/main amd64 libc6 amd64 2.43-7 [1500 kB]
Get:2 http://mirror.example/debian forky/main amd64 bash amd64 5.3-1 [1000 kB]
I: installing essential packages...
Unpacking libc6:amd64 (2.43-7) ...
Setting up libc6:amd64 (2.43-7) ...
Unpacking bash (5.3) ...
Setting up bash (5.3) ...
I: installing remaining packages inside the chroot...
0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.
Need to get 0 B/60 MB of archives.
Unpacking git (1:2) ...
Setting up git (1:2) ...
`

func TestLogParser(t *testing.T) {
	var out strings.Builder
	w := &logParser{name: "Debian forky", report: progress.New(&out, nil)}
	// Writes need not end at line breaks.
	for _, piece := range strings.SplitAfter(output, "e") {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if got := w.failed(); !strings.HasSuffix(got, "; Setting up git (1:2) ...") {
		t.Errorf("the last lines are %q", got)
	}
	want := `Debian forky: updating the package lists: started
Debian forky: updating the package lists: done in 0s
Debian forky: downloading packages: started, 2.4 MiB
Debian forky: downloading packages: done, 2.4 MiB in 0s
Debian forky: installing 2 packages: started, 4 steps
Debian forky: installing 2 packages: done, 4 steps in 0s
Debian forky: installing 3 packages: started, 6 steps
Debian forky: installing 3 packages: stopped at 2 of 6 steps (33%) after 0s
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestLogParserPrefersErrors(t *testing.T) {
	w := &logParser{report: progress.New(new(strings.Builder), nil)}
	if _, err := w.Write([]byte("E: no such suite\nReading package lists...\nE: mmdebstrap failed to run\n")); err != nil {
		t.Fatal(err)
	}
	if got, want := w.failed(), "E: no such suite; E: mmdebstrap failed to run"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
