package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keepDiffering puts a program that is not the official one where it can be
// looked at, and beside it, for who has the official one, what to compare
// first.
func (r *rebuilder) keepDiffering(name string, j job) (string, error) {
	dir := filepath.Join(r.config.cache, "differs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keeping what differs: %w", err)
	}
	kept := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", j.binary, j.version, j.platform.Label()))
	text, err := describe(name)
	if err == nil {
		err = errors.Join(writeFile(kept+".txt", []byte(text)), os.Rename(name, kept))
	}
	if err != nil {
		return "", fmt.Errorf("keeping what differs: %w", err)
	}
	return kept, nil
}

// describe lists the size of a program and of its sections, and what Go wrote
// into it of how it was built.
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
