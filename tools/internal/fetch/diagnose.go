package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// headSize is how much of a file is looked at to tell what it is, in bytes.
const headSize = 512

// Explain says more of an error that reading a file of the store met: what is
// there in place of the pinned file, and what to do.
func (s *Fetcher) Explain(pin versions.Pin, err error) error {
	var mismatch *store.MismatchError
	if !errors.As(err, &mismatch) {
		return err
	}
	f, openErr := os.Open(mismatch.From)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, _ := io.ReadFull(f, head)
	return fmt.Errorf("getting %s out of the store: %w\nTo mend: delete that file and run again", pin.FileKey, s.explainBytes(pin, mismatch, head[:n]))
}

// explainBytes adds to a mismatch what the bytes seem to be: each of these has
// been met in the wild, saved and hashed as if it were the binary.
func (s *Fetcher) explainBytes(pin versions.Pin, m *store.MismatchError, head []byte) error {
	var why []string
	if kind := markup(head); kind != "" {
		why = append(why, "it is "+kind+", not a program: "+quote(head))
	}
	for _, other := range s.Catalog.Lock.Find(m.Got) {
		why = append(why, "it is "+other.FileKey.String()+" ("+otherwise(pin, other)+")")
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

// otherwise says in what a found pin differs from the wanted one.
func otherwise(want, got versions.Pin) string {
	var parts []string
	for _, p := range []struct{ what, want, got string }{
		{"source", want.Source, got.Source},
		{"version", want.Version.String(), got.Version.String()},
		{"platform", want.Platform.String(), got.Platform.String()},
		{"file", want.File, got.File},
	} {
		if p.want != p.got {
			parts = append(parts, "another "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// markup names the kind of page that bytes are, "" if none.
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

// quote shows the beginning of bytes in one line.
func quote(head []byte) string {
	const show = 80
	if len(head) > show {
		return fmt.Sprintf("%q…", head[:show])
	}
	return fmt.Sprintf("%q", head)
}
