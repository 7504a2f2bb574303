package checksum

import (
	"bytes"
	"fmt"
)

// describe says what bytes seem to be, "" if they may well be a program. Pages
// of proxies and portals are met most often where a program was asked for.
func describe(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	starts := func(with ...string) bool {
		for _, w := range with {
			if bytes.HasPrefix(text, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case len(head) == 0:
		return "empty"
	case starts("<!doctype html", "<html", "<head", "<body"):
		return "an HTML page: " + quote(head)
	case starts("<?xml", "<error"):
		return "an XML document: " + quote(head)
	case starts("{"):
		return "a JSON document: " + quote(head)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "compressed by gzip; want the program itself"
	case starts("\x7felf", "#!"):
		return ""
	}
	return "not a Linux program: " + quote(head)
}

// quote shows the beginning of bytes in one line.
func quote(head []byte) string {
	const show = 80
	if len(head) > show {
		return fmt.Sprintf("%q…", head[:show])
	}
	return fmt.Sprintf("%q", head)
}
