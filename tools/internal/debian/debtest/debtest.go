// Package debtest builds small Debian packages for tests.
package debtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
	"github.com/klauspost/compress/zstd"
)

// Entry is an entry of a tar archive. Its type is that of a regular file unless Type
// is set.
type Entry struct {
	Name, Link, Content string
	Type                byte
	Mode                int64 // default 0755 for directories, 0644 for others
	UID, GID            int
}

// File returns the entry of a file.
func File(name, content string) Entry { return Entry{Name: name, Content: content} }

// Dir returns the entry of a directory.
func Dir(name string) Entry { return Entry{Name: name, Type: tar.TypeDir} }

// Symlink returns the entry of a symlink.
func Symlink(name, target string) Entry {
	return Entry{Name: name, Link: target, Type: tar.TypeSymlink}
}

// Package is the content of a package of version 1.0 and architecture amd64.
type Package struct {
	Name      string
	Fields    string // more lines of the control file
	Conffiles string
	MD5Sums   string // default: those of the files
	Files     []Entry
}

// Build returns the bytes of the .deb, with the compression ".gz", ".zst" or "".
func (p Package) Build(t testing.TB, compression string) []byte {
	t.Helper()
	var sums strings.Builder
	for _, f := range p.Files {
		if f.Type == 0 {
			fmt.Fprintf(&sums, "%x  %s\n", md5.Sum([]byte(f.Content)), strings.TrimPrefix(f.Name, "./"))
		}
	}
	if p.MD5Sums != "" {
		sums.Reset()
		sums.WriteString(p.MD5Sums)
	}
	control := []Entry{
		File("./control", fmt.Sprintf("Package: %s\nVersion: 1.0\nArchitecture: amd64\n%sDescription: test\n of %s\n", p.Name, p.Fields, p.Name)),
		File("./md5sums", sums.String()),
	}
	if p.Conffiles != "" {
		control = append(control, File("./conffiles", p.Conffiles))
	}
	return Ar(
		Member{"debian-binary", []byte("2.0\n")},
		Member{"control.tar" + compression, Compress(t, compression, Tar(t, control...))},
		Member{"data.tar" + compression, Compress(t, compression, Tar(t, p.Files...))},
	)
}

// Pin returns the pin of a package's bytes in a set for linux/amd64.
func (p Package) Pin(t testing.TB, set string, raw []byte) versions.PackagePin {
	t.Helper()
	platform, err := versions.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	return versions.PackagePin{
		Set: set, Platform: platform, Name: p.Name, Version: "1.0", Architecture: "amd64", Archive: "debian",
		Path: "pool/main/" + p.Name + "_1.0_amd64.deb", Size: int64(len(raw)), SHA256: versions.NewDigest(sha256.Sum256(raw)),
	}
}

// Tar returns a tar archive.
func Tar(t testing.TB, entries ...Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.Name, Linkname: e.Link, Typeflag: e.Type, Mode: e.Mode, Uid: e.UID, Gid: e.GID,
			Uname: "root", Gname: "root", Size: int64(len(e.Content)),
		}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.Content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Compress compresses with ".gz" or ".zst".
func Compress(t testing.TB, compression string, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch compression {
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".zst":
		var err error
		if w, err = zstd.NewWriter(&b); err != nil {
			t.Fatal(err)
		}
	default:
		return raw
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Member is a member of an ar archive.
type Member struct {
	Name    string
	Content []byte
}

// Ar returns an ar archive.
func Ar(members ...Member) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range members {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.Name, 0, 0, 0, "100644", len(m.Content))
		b.Write(m.Content)
		if len(m.Content)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}
