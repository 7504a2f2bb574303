package store

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// HeadSize is the number of bytes at the beginning of a file that show its type.
const HeadSize = 512

// ReadHead returns the beginning of a file, as far as it can be read.
func ReadHead(file string) []byte {
	in, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer in.Close()
	head := make([]byte, HeadSize)
	n, _ := io.ReadFull(in, head)
	return head[:n]
}

// Describe adds to a mismatch what the bytes that begin with head seem to be, and
// the reasons that the caller found. Each case has happened: a proxy or a script
// saved such bytes as the binary.
func (e *MismatchError) Describe(head []byte, program bool, reasons ...string) error {
	if kind := Markup(head); kind != "" {
		reasons = append([]string{"it is " + kind + ", not a program: " + Quote(head)}, reasons...)
	}
	if program && IsGzip(head) {
		reasons = append([]string{"it is compressed with gzip; want the uncompressed program"}, reasons...)
	}
	if len(reasons) == 0 && program && !bytes.HasPrefix(head, []byte("\x7fELF")) {
		reasons = append(reasons, "it is not a Linux program: "+Quote(head))
	}
	if len(reasons) == 0 {
		return e
	}
	return fmt.Errorf("%w\n%s", e, strings.Join(reasons, "\n"))
}

// IsGzip reports whether head begins a file compressed with gzip.
func IsGzip(head []byte) bool { return bytes.HasPrefix(head, []byte("\x1f\x8b")) }

// Markup returns "an HTML page" or "an XML document" if head begins one.
func Markup(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<error")):
		return "an XML document"
	}
	return ""
}

// Quote returns the beginning of head as one line.
func Quote(head []byte) string {
	const limit = 80
	if len(head) > limit {
		return fmt.Sprintf("%q…", head[:limit])
	}
	return fmt.Sprintf("%q", head)
}
