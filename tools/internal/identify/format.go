package identify

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hyperkube/hyperkube/tools/internal/decompress"
)

// Format is the format of a file, as its first bytes tell.
type Format string

// Formats. Those of package decompress are formats, too.
const (
	ELF     Format = "ELF"
	PE      Format = "Windows executable"
	MachO   Format = "macOS executable"
	HTML    Format = "HTML"
	XML     Format = "XML"
	JSON    Format = "JSON"
	Script  Format = "script"
	Text    Format = "text"
	Tar     Format = "tar"
	Zip     Format = "zip"
	Debian  Format = "Debian package or ar"
	RPM     Format = "RPM package"
	Empty   Format = "empty"
	Unknown Format = "unknown data"
)

var formats = []struct {
	magic  string
	format Format
}{
	{"\x7fELF", ELF},
	{"MZ", PE},
	{"\xcf\xfa\xed\xfe", MachO},
	{"\xce\xfa\xed\xfe", MachO},
	{"\xca\xfe\xba\xbe", MachO},
	{"PK\x03\x04", Zip},
	{"!<arch>\n", Debian},
	{"\xed\xab\xee\xdb", RPM},
	{"#!", Script},
}

// detect returns the format of a file by its head.
func detect(head []byte) Format {
	if len(head) == 0 {
		return Empty
	}
	for _, f := range formats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.format
		}
	}
	if c := decompress.Detect(head); c != decompress.None {
		return Format(c)
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return Tar
	}
	return detectText(head)
}

// maxText is the number of bytes that must be text.
const maxText = 4096

// detectText returns the format of a text, or Unknown.
func detectText(head []byte) Format {
	if len(head) > maxText {
		head = head[:maxText]
		for i := 0; i < utf8.UTFMax && !utf8.Valid(head); i++ { // a character may be cut
			head = head[:len(head)-1]
		}
	}
	if !utf8.Valid(head) || bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1b", r) }) {
		return Unknown
	}
	text := strings.ToLower(string(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.Contains(text[:min(len(text), 512)], "<html"):
		return HTML
	case strings.HasPrefix(text, "<?xml"):
		return XML
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return JSON
	}
	return Text
}
