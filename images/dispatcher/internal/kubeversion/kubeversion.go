// Package kubeversion reads the Kubernetes version of a program without executing
// it. The version is a claim of the program: only its SHA-256 proves anything.
package kubeversion

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
)

const module = "k8s.io/kubernetes"

// Read returns the name of a program, like "kubelet", and its Kubernetes version,
// like "v1.36.0". It returns "" if the program is not one of Kubernetes, and for
// a version that is unclear.
func Read(r io.ReaderAt) (name, version string) {
	info, err := buildinfo.Read(r)
	if err != nil || !strings.HasPrefix(info.Path, module+"/") {
		return "", ""
	}
	// Builds of Go 1.24 and later have the version of the main module.
	if v := info.Main.Version; info.Main.Path == module && versionPattern.MatchString(v) {
		return path.Base(info.Path), v
	}
	return path.Base(info.Path), linkedVersion(r)
}

// linkedVersion returns the version that was set by the linker
// (-X …gitVersion=v1.36.0).
func linkedVersion(r io.ReaderAt) string {
	file, err := elf.NewFile(r)
	if err != nil {
		return ""
	}
	defer file.Close()
	counts := map[string]int{}
	for _, section := range file.Sections {
		if section.Type == elf.SHT_PROGBITS && section.Flags&elf.SHF_ALLOC != 0 && section.Flags&elf.SHF_EXECINSTR == 0 {
			if err := count(section.Open(), counts); err != nil {
				return ""
			}
		}
	}
	return repeated(counts)
}

var versionPattern = regexp.MustCompile(`^v1\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// repeated returns the only version that occurs more than once. Kubernetes has its
// version in two variables.
func repeated(counts map[string]int) string {
	found := ""
	for v, n := range counts {
		if n > 1 && found != "" {
			return ""
		}
		if n > 1 {
			found = v
		}
	}
	return found
}

// maxVersion is the maximum length of a version in bytes.
const maxVersion = 64

// count counts the versions in r that end in a zero byte, as strings do that were
// set by the linker, unlike others.
func count(r io.Reader, counts map[string]int) error {
	buf := make([]byte, 1<<20)
	kept := 0 // bytes of the previous chunk at the start of buf
	for {
		n, err := io.ReadFull(r, buf[kept:])
		chunk := buf[:kept+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		done := len(chunk)
		for at := 0; ; {
			i := bytes.Index(chunk[at:], []byte("v1."))
			if i < 0 {
				break
			}
			at += i
			if !last && len(chunk)-at < maxVersion {
				done = at // complete with the next chunk
				break
			}
			end := bytes.IndexByte(chunk[at:min(at+maxVersion, len(chunk))], 0)
			if end > 0 && versionPattern.Match(chunk[at:at+end]) {
				counts[string(chunk[at:at+end])]++
			}
			at++
		}
		if last {
			return nil
		}
		// A version may also begin in the last two bytes.
		kept = copy(buf, chunk[min(done, len(chunk)-2):])
	}
}
