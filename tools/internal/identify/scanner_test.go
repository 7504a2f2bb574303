package identify

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func facts(content []byte, chunk int) Facts {
	s := NewScanner()
	for len(content) > 0 {
		n := min(chunk, len(content))
		s.Write(content[:n])
		content = content[n:]
	}
	return s.Facts()
}

func TestScanner(t *testing.T) {
	content := build(t, "k8s.io/kubernetes/cmd/kubelet", "arm64", "v1.36.0-rc.1")
	for _, chunk := range []int{1 << 30, 256 << 10, 1000, 7} {
		f := facts(content, chunk)
		p := *f.Program
		if !strings.HasPrefix(p.Go, "go1.") {
			t.Errorf("chunks of %d bytes: Go version %q", chunk, p.Go)
		}
		p.Go = ""
		want := Program{
			Platform: "linux/arm64", Package: "k8s.io/kubernetes/cmd/kubelet", Module: "k8s.io/kubernetes/cmd/kubelet", ModuleVersion: "(devel)",
			Version: "v1.36.0-rc.1", BuildDate: "2026-04-22T13:54:03Z",
		}
		if p != want {
			t.Errorf("chunks of %d bytes: got %+v, want %+v", chunk, p, want)
		}
		if f.Size != int64(len(content)) || f.FullSize != f.Size || f.Truncated() || f.Format != ELF {
			t.Errorf("chunks of %d bytes: got %+v, want %d bytes", chunk, f, len(content))
		}
	}
}

// A scanner that was reset has nothing of the file before.
func TestScannerReset(t *testing.T) {
	s := NewScanner()
	s.Write(build(t, "k8s.io/kubernetes/cmd/kubelet", "arm64", "v1.36.0-rc.1"))
	s.Reset()
	s.Write([]byte("text"))
	if got, want := s.Facts(), facts([]byte("text"), 4); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFormat(t *testing.T) {
	tar := append(make([]byte, 257), "ustar\x0000"...)
	for content, want := range map[string]Format{
		"":                                    Empty,
		"\x7fELF":                             ELF,
		"MZ\x90\x00":                          PE,
		"\x1f\x8b\x08\x00":                    "gzip",
		"\xfd7zXZ\x00":                        "xz",
		"#!/bin/sh\n":                         Script,
		"\n <!DOCTYPE html>":                  HTML,
		"\ufeff<HTML>":                        HTML,
		"<!-- error -->\n<html>":              HTML,
		"<?xml version='1.0'?><Error/>":       XML,
		`{"errors":[]}`:                       JSON,
		"v1.36.0\n":                           Text,
		"\x00\x01":                            Unknown,
		"caf\xe9":                             Unknown,
		strings.Repeat("ä", 2047) + "a" + "ä": Text, // a character is cut at 4096 bytes
		string(tar):                           Tar,
	} {
		if got := detect([]byte(content)); got != want {
			t.Errorf("%.20q: got %s, want %s", content, got, want)
		}
	}
}

// The facts do not depend on the sizes of the writes.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01v1.36.0\x00go1.26.2\x00 2026-04-22T13:54:03Z\x00"), 3)
	f.Add(append(append(bytes.Clone(modInfoStart), "path\tk8s.io/kubernetes/cmd/kubelet\nbuild\tGOOS=linux\nbuild\tGOARCH=amd64\n"...), modInfoEnd...), 20)
	f.Add([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01\x00\x00\x00\x80\x38\x49\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x58\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x38\x00\x05\x00\x40\x00\x0e\x00\x0d\x00"), 64)
	f.Fuzz(func(t *testing.T, content []byte, chunk int) {
		if chunk <= 0 {
			return
		}
		got, want := facts(content, chunk), facts(content, len(content)+1)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got.FullSize < 0 {
			t.Errorf("negative size %d", got.FullSize)
		}
	})
}
