package checksum

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// empty is the sum of no bytes, abc the sum of "abc". Both are in FIPS 180-2.
const (
	empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	abc   = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
)

func TestParse(t *testing.T) {
	sum, err := Parse(abc)
	if err != nil || sum.String() != abc {
		t.Errorf("got %s, %v; want %s", sum, err, abc)
	}
	for _, bad := range []string{"", abc[:63], abc + "0", strings.ToUpper(abc), "g" + abc[1:], "sha256:" + abc, " " + abc[1:]} {
		if _, err := Parse(bad); err == nil || !strings.Contains(err.Error(), "64 digits") {
			t.Errorf("Parse(%q): %v; want an error that names the format", bad, err)
		}
	}
}

func TestDigester(t *testing.T) {
	m := NewDigester()
	if m.Sum().String() != empty {
		t.Errorf("got %s; want %s", m.Sum(), empty)
	}
	for _, s := range []string{"a", "", "bc"} {
		if n, err := io.WriteString(m, s); n != len(s) || err != nil {
			t.Errorf("writing %q: %d, %v", s, n, err)
		}
	}
	want, err := Parse(abc)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(want); err != nil {
		t.Error(err)
	}
}

func TestMismatchErrorHasKindOfFile(t *testing.T) {
	for _, c := range []struct{ bytes, want string }{
		{"", "the file is empty"},
		{"\xef\xbb\xbf \r\n<!DOCTYPE HTML><title>Log in", "the file is an HTML page"},
		{"<html>", "the file is an HTML page"},
		{"<?xml version=\"1.0\"?><Error>", "the file is an XML document"},
		{`{"errors":[]}`, "the file is a JSON document"},
		{"\x1f\x8b\x08", "compressed with gzip"},
		{"404 page not found\n", `not a Linux program: "404 page not found\n"`},
		{strings.Repeat("x", 4000), `"` + strings.Repeat("x", 80) + `"…`},
	} {
		m := NewDigester()
		// One byte at a time: the kind must not depend on the size of writes.
		for i := range len(c.bytes) {
			_, _ = m.Write([]byte{c.bytes[i]})
		}
		err := m.Check(Sum{1})
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || mismatch.Size != int64(len(c.bytes)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("of %.20q: %v; want %s", c.bytes, err, c.want)
		}
	}
	for _, program := range []string{"\x7fELF and so on", "#!/bin/sh"} {
		m := NewDigester()
		_, _ = io.WriteString(m, program)
		if err := m.Check(Sum{1}); err == nil || strings.Contains(err.Error(), "the file is") {
			t.Errorf("of %q: %v; want no kind of file", program, err)
		}
	}
}
