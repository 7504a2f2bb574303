package fetch

import (
	"fmt"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// describeMismatch adds to a mismatch what the bytes that begin with head seem to
// be, and which other pin they have. Encoding is the content encoding of the
// response with the bytes, if any.
func (f *Fetcher) describeMismatch(pin versions.Pin, m *store.MismatchError, head []byte, encoding string) error {
	var reasons []string
	for _, other := range f.Catalog.Lock.Find(m.Got) {
		reasons = append(reasons, "it is "+other.FileKey.String()+" ("+differences(pin, other)+")")
	}
	program := pin.SHA256 != pin.Archive
	switch {
	case encoding != "":
		reasons = append(reasons, fmt.Sprintf("the server encoded it with %q; want the file as it is", encoding))
	case pin.Size > 0 && m.Size < pin.Size && !(program && store.IsGzip(head)):
		reasons = append(reasons, fmt.Sprintf("it is truncated, or another file: %d of %d bytes", m.Size, pin.Size))
	}
	return m.Describe(head, program, reasons...)
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
