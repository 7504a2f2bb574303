// Package binary reads what a Linux program says of itself: the architecture
// of its header, Go's build information, the Kubernetes version it was stamped
// with. A hash only proves that bytes are the pinned ones; this shows that the
// right ones were pinned.
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

// machines are the architectures as an ELF header has them.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// informed is the first Kubernetes version whose Go writes build information
// that can be found.
var informed = must(versions.ParseVersion("v1.17.0"))

func must(v versions.Version, err error) versions.Version {
	if err != nil {
		panic(err)
	}
	return v
}

// Check holds a program to the key that it is pinned by. The error has every
// fault.
func Check(r io.ReaderAt, key versions.FileKey) error {
	file, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("reading the ELF header of %s: %w", key, err)
	}
	defer file.Close()
	errs := []error{header(file, key.Platform.Arch())}
	if key.Version == (versions.Version{}) || key.Version.Compare(informed) >= 0 {
		errs = append(errs, buildInformation(r, key))
	}
	if key.Version != (versions.Version{}) {
		errs = append(errs, stamp(file, key.Version))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("looking into %s: %w", key, err)
	}
	return nil
}

func header(file *elf.File, arch string) error {
	want := machines[arch]
	switch {
	case file.Class != elf.ELFCLASS64 || file.Data != elf.ELFDATA2LSB:
		return fmt.Errorf("want 64 bits, little-endian, got %v, %v", file.Class, file.Data)
	case file.Machine != want:
		return fmt.Errorf("want a program for %s (%v), got one for %v", arch, want, file.Machine)
	case file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN:
		return fmt.Errorf("want a program, got a file of type %v", file.Type)
	}
	return nil
}

// buildInformation is what the Go linker wrote: the program's package and,
// since Go 1.18, the platform it was built for.
func buildInformation(r io.ReaderAt, key versions.FileKey) error {
	info, err := buildinfo.Read(r)
	if err != nil {
		return fmt.Errorf("reading Go's build information: %w", err)
	}
	var errs []error
	if name := info.Path[strings.LastIndexByte(info.Path, '/')+1:]; key.Version != (versions.Version{}) && name != key.File {
		errs = append(errs, fmt.Errorf("want the program %s, got package %q", key.File, info.Path))
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "GOOS" && setting.Value != key.Platform.OS(),
			setting.Key == "GOARCH" && setting.Value != key.Platform.Arch():
			errs = append(errs, fmt.Errorf("want it built for %s, got %s=%s", key.Platform, setting.Key, setting.Value))
		}
	}
	return errors.Join(errs...)
}

// stamp finds the version that the linker was told (-X …gitVersion=v1.36.0). It
// ends such strings with a zero byte, and no others.
func stamp(file *elf.File, version versions.Version) error {
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
	return fmt.Errorf("it is not stamped with the version %s", version)
}

// contains looks for a few bytes in many, piece by piece.
func contains(r io.Reader, want []byte) (bool, error) {
	buf := make([]byte, 1<<20)
	kept := 0
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
