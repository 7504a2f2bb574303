package fetch

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// headSize is the number of bytes at the beginning of a file that tell its type.
const headSize = 512

// readHead returns the beginning of a file, as far as it can be read.
func readHead(file string) []byte {
	in, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer in.Close()
	head := make([]byte, headSize)
	n, _ := io.ReadFull(in, head)
	return head[:n]
}

// describeMismatch adds to a mismatch what the bytes seem to be. Each case has
// happened: a proxy or a script saved such bytes as the binary.
func (f *Fetcher) describeMismatch(pin versions.Pin, m *store.MismatchError, head []byte) error {
	var why []string
	if kind := markup(head); kind != "" {
		why = append(why, "it is "+kind+", not a program: "+quote(head))
	}
	for _, other := range f.Catalog.Lock.Find(m.Got) {
		why = append(why, "it is "+other.FileKey.String()+" ("+differences(pin, other)+")")
	}
	if pin.Size > 0 && m.Size < pin.Size {
		why = append(why, fmt.Sprintf("it is truncated, or another file: %d of %d bytes", m.Size, pin.Size))
	}
	if len(why) == 0 && pin.SHA256 != pin.Archive && !bytes.HasPrefix(head, []byte("\x7fELF")) {
		why = append(why, "it is not a Linux program: "+quote(head))
	}
	if len(why) == 0 {
		return m
	}
	return fmt.Errorf("%w\n%s", m, strings.Join(why, "\n"))
}

// differences lists the parts of the key that differ between two pins.
func differences(want, got versions.Pin) string {
	var parts []string
	for _, p := range []struct{ part, want, got string }{
		{"source", want.Source, got.Source},
		{"version", want.Version.String(), got.Version.String()},
		{"platform", want.Platform.String(), got.Platform.String()},
		{"file", want.File, got.File},
	} {
		if p.want != p.got {
			parts = append(parts, "another "+p.part)
		}
	}
	return strings.Join(parts, ", ")
}

// markup returns "an HTML page" or "an XML document" if head begins one.
func markup(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<error")):
		return "an XML document"
	}
	return ""
}

// quote returns the beginning of head as one line.
func quote(head []byte) string {
	const limit = 80
	if len(head) > limit {
		return fmt.Sprintf("%q…", head[:limit])
	}
	return fmt.Sprintf("%q", head)
}
