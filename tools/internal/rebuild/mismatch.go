package rebuild

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keepMismatch moves a binary that differs to the cache, with a description for
// comparison with the official one (readelf -S, go version -m) next to it.
func (r Rebuilder) keepMismatch(name string, j Job) (string, error) {
	dir := filepath.Join(r.Builder.Dir(), "differs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keeping a binary that differs: %w", err)
	}
	kept := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", j.Binary, j.Version, j.Platform.Label()))
	text, err := describe(name)
	if err == nil {
		err = errors.Join(os.WriteFile(kept+".txt", []byte(text), 0o644), os.Rename(name, kept))
	}
	if err != nil {
		return "", fmt.Errorf("keeping a binary that differs: %w", err)
	}
	return kept, nil
}

// describe returns the size of a binary, its sections and its Go build
// information.
func describe(name string) (string, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	f, err := elf.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes\n\n", stat.Size())
	for _, s := range f.Sections {
		if s.Name != "" {
			fmt.Fprintf(&b, "%-20s %10d bytes at %#x\n", s.Name, s.Size, s.Addr)
		}
	}
	fmt.Fprintf(&b, "\n%s", info)
	return b.String(), nil
}
