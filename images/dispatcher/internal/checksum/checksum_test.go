package checksum

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// empty is the sum of no bytes, abc the one of "abc"; both are in FIPS 180-2.
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
			t.Errorf("Parse(%q): %v; want an error that says what is wanted", bad, err)
		}
	}
}

func TestMeter(t *testing.T) {
	m := NewMeter()
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

func TestMismatchSaysWhatItIs(t *testing.T) {
	for _, c := range []struct{ bytes, want string }{
		{"", "it is empty"},
		{"\xef\xbb\xbf \r\n<!DOCTYPE HTML><title>Log in", "it is an HTML page"},
		{"<html>", "it is an HTML page"},
		{"<?xml version=\"1.0\"?><Error>", "it is an XML document"},
		{`{"errors":[]}`, "it is a JSON document"},
		{"\x1f\x8b\x08", "compressed by gzip"},
		{"404 page not found\n", `not a Linux program: "404 page not found\n"`},
		{strings.Repeat("x", 4000), `"` + strings.Repeat("x", 80) + `"…`},
	} {
		m := NewMeter()
		// In small pieces, as a network may bring them.
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
		m := NewMeter()
		_, _ = io.WriteString(m, program)
		if err := m.Check(Sum{1}); err == nil || strings.Contains(err.Error(), "it is") {
			t.Errorf("of %q: %v; want no guess", program, err)
		}
	}
}
