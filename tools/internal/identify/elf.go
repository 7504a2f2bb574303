package identify

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math"
)

// architectures maps ELF machines to architectures of Go.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
	elf.EM_S390: "s390x", elf.EM_PPC64: "ppc64le", elf.EM_RISCV: "riscv64", elf.EM_LOONGARCH: "loong64",
}

// readELF returns the platform of an ELF file, and its size by those headers that the
// head has. Package elf fails for a truncated file.
func readELF(head []byte) (platform string, size int64) {
	if len(head) < elf.EI_NIDENT {
		return "", 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	if elf.Class(head[elf.EI_CLASS]) != elf.ELFCLASS64 {
		var h elf.Header32
		if binary.Read(bytes.NewReader(head), order, &h) != nil {
			return "", 0
		}
		return platformOf(h.Machine), 0
	}
	var h elf.Header64
	if binary.Read(bytes.NewReader(head), order, &h) != nil {
		return "", 0
	}
	return platformOf(h.Machine), fullSize(head, order, h)
}

func platformOf(machine uint16) string {
	if arch, ok := architectures[elf.Machine(machine)]; ok {
		return "linux/" + arch
	}
	return ""
}

// fullSize returns the end of the last segment, section or table of headers.
func fullSize(head []byte, order binary.ByteOrder, h elf.Header64) int64 {
	var end uint64
	extend := func(offset, size uint64) {
		if offset < math.MaxInt64 && size < math.MaxInt64-offset {
			end = max(end, offset+size)
		}
	}
	extend(h.Phoff, uint64(h.Phnum)*uint64(h.Phentsize))
	extend(h.Shoff, uint64(h.Shnum)*uint64(h.Shentsize))
	var p elf.Prog64
	each(head, h.Phoff, h.Phentsize, h.Phnum, order, &p, func() { extend(p.Off, p.Filesz) })
	var s elf.Section64
	each(head, h.Shoff, h.Shentsize, h.Shnum, order, &s, func() {
		if elf.SectionType(s.Type) != elf.SHT_NOBITS {
			extend(s.Off, s.Size)
		}
	})
	return int64(end)
}

// each reads the headers of a table that the head has.
func each(head []byte, offset uint64, size, n uint16, order binary.ByteOrder, v any, visit func()) {
	for range n {
		if offset > uint64(len(head)) || binary.Read(bytes.NewReader(head[offset:]), order, v) != nil {
			return
		}
		visit()
		offset += uint64(size)
	}
}

// goNote is the beginning of an ELF note with the build ID of a Go program, after
// its sizes.
var goNote = []byte("\x04\x00\x00\x00Go\x00\x00")

// isGoProgram reports whether a head is that of a Go program in ELF format.
func isGoProgram(head []byte) bool { return detect(head) == ELF && bytes.Contains(head, goNote) }
