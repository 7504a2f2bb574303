package checksum

import (
	"bytes"
	"fmt"
	"slices"
)

// sniff detects the kind of a file by its first bytes. It returns "" if they may
// be those of a program. The most frequent other kinds are the pages of proxies
// and login portals.
func sniff(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	hasPrefix := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(text, []byte(p)) })
	}
	switch {
	case len(head) == 0:
		return "empty"
	case hasPrefix("<!doctype html", "<html", "<head", "<body"):
		return "an HTML page: " + quoteHead(head)
	case hasPrefix("<?xml", "<error"):
		return "an XML document: " + quoteHead(head)
	case hasPrefix("{"):
		return "a JSON document: " + quoteHead(head)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "compressed with gzip; want the uncompressed program"
	case hasPrefix("\x7felf", "#!"):
		return ""
	}
	return "not a Linux program: " + quoteHead(head)
}

// quoteHead quotes the first bytes of a file in one line.
func quoteHead(head []byte) string {
	const limit = 80
	if len(head) > limit {
		return fmt.Sprintf("%q…", head[:limit])
	}
	return fmt.Sprintf("%q", head)
}
