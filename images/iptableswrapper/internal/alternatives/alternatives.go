// Package alternatives makes a choice in a group of Debian's alternatives, like
// update-alternatives --set, without that program.
package alternatives

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Set points the links of a group, below root, to a choice and its slaves, and marks
// the group as set manually. Each file is replaced atomically; a process that finds
// some links changed and others not can use both.
func Set(root, name, choice string) error {
	database := filepath.Join(root, "var/lib/dpkg/alternatives", name)
	raw, err := os.ReadFile(database)
	if err != nil {
		return fmt.Errorf("reading alternatives: %w", err)
	}
	g, err := parse(string(raw))
	if err != nil {
		return fmt.Errorf("reading alternatives in %q: %w", database, err)
	}
	targets, ok := g.choices[choice]
	if !ok {
		return fmt.Errorf("reading alternatives in %q: no choice %q", database, choice)
	}
	links := filepath.Join(root, "etc/alternatives")
	for i, slave := range g.slaves {
		if targets[i] == "" {
			continue
		}
		if err := link(filepath.Join(links, slave), targets[i]); err != nil {
			return err
		}
	}
	if err := link(filepath.Join(links, name), choice); err != nil {
		return err
	}
	return replace(database, func(temporary string) error {
		return os.WriteFile(temporary, []byte("manual\n"+g.rest), 0o644)
	})
}

// link makes path a symlink to target.
func link(path, target string) error {
	if old, err := os.Readlink(path); err == nil && old == target {
		return nil
	}
	return replace(path, func(temporary string) error { return os.Symlink(target, temporary) })
}

// replace replaces path by the file that create makes. Other processes may do the
// same at once.
func replace(path string, create func(temporary string) error) error {
	temporary := path + ".dpkg-tmp." + strconv.Itoa(os.Getpid())
	_ = os.Remove(temporary) // of a killed process
	err := create(temporary)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("replacing %q: %w", path, err)
	}
	return nil
}
