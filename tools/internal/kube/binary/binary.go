// Package binary checks the metadata of Linux binaries: the architecture in the ELF
// header, Go's build information and the Kubernetes version. A digest proves that
// bytes are the pinned ones; this package checks that the right bytes were pinned.
package binary

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// machines maps architectures to ELF machines.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// minBuildInfo is the first Kubernetes version whose Go toolchain writes readable
// build information.
var minBuildInfo = must(versions.ParseVersion("v1.17.0"))

func must(v versions.Version, err error) versions.Version {
	if err != nil {
		panic(err)
	}
	return v
}

// Check checks that a binary is the one of its key. The error lists all mismatches.
func Check(r io.ReaderAt, key versions.FileKey) error {
	file, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("reading ELF header of %s: %w", key, err)
	}
	defer file.Close()
	errs := []error{checkHeader(file, key.Platform.Arch())}
	if key.Version == (versions.Version{}) || key.Version.Compare(minBuildInfo) >= 0 {
		errs = append(errs, checkBuildInfo(r, key))
	}
	if key.Version != (versions.Version{}) {
		errs = append(errs, checkVersion(file, key.Version))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("checking %s: %w", key, err)
	}
	return nil
}

func checkHeader(file *elf.File, arch string) error {
	want := machines[arch]
	switch {
	case file.Class != elf.ELFCLASS64 || file.Data != elf.ELFDATA2LSB:
		return fmt.Errorf("want 64 bits, little-endian, got %v, %v", file.Class, file.Data)
	case file.Machine != want:
		return fmt.Errorf("want an executable for %s (%v), got one for %v", arch, want, file.Machine)
	case file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN:
		return fmt.Errorf("want an executable, got type %v", file.Type)
	}
	return nil
}

// checkBuildInfo checks Go's build information: the main package and, since Go 1.18,
// the platform.
func checkBuildInfo(r io.ReaderAt, key versions.FileKey) error {
	info, err := buildinfo.Read(r)
	if err != nil {
		return fmt.Errorf("reading Go build information: %w", err)
	}
	var errs []error
	if name := info.Path[strings.LastIndexByte(info.Path, '/')+1:]; key.Version != (versions.Version{}) && name != key.File {
		errs = append(errs, fmt.Errorf("want main package %s, got %q", key.File, info.Path))
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "GOOS" && setting.Value != key.Platform.OS(),
			setting.Key == "GOARCH" && setting.Value != key.Platform.Arch():
			errs = append(errs, fmt.Errorf("want a build for %s, got %s=%s", key.Platform, setting.Key, setting.Value))
		}
	}
	return errors.Join(errs...)
}

// checkVersion checks the version that was set by the linker (-X …gitVersion=v1.36.0).
// The linker terminates such strings with a zero byte, unlike other strings.
func checkVersion(file *elf.File, version versions.Version) error {
	want := append([]byte(version.String()), 0)
	for _, section := range file.Sections {
		if section.Type != elf.SHT_PROGBITS || section.Flags&elf.SHF_ALLOC == 0 || section.Flags&elf.SHF_EXECINSTR != 0 {
			continue
		}
		found, err := contains(section.Open(), want)
		if err != nil {
			return fmt.Errorf("reading section %s: %w", section.Name, err)
		}
		if found {
			return nil
		}
	}
	return fmt.Errorf("version %s not found in data sections", version)
}

// contains reports whether r contains want, reading in chunks.
func contains(r io.Reader, want []byte) (bool, error) {
	buf := make([]byte, 1<<20)
	kept := 0 // bytes of the previous chunk at the start of buf
	for {
		n, err := r.Read(buf[kept:])
		if bytes.Contains(buf[:kept+n], want) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		tail := buf[max(0, kept+n-len(want)+1) : kept+n]
		kept = copy(buf, tail)
	}
}
