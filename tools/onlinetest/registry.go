package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
)

// archives serves the module registry and packs the archives of its modules.
type archives struct {
	registry, modules string // see config
	dir               string // of archives, named by a hash of their URL
	mutex             sync.Mutex
}

// source is a source.json, as far as it is used here.
type source struct {
	URL         string            `json:"url"`
	Integrity   string            `json:"integrity"`
	ArchiveType string            `json:"archive_type"`
	StripPrefix string            `json:"strip_prefix,omitempty"`
	Overlay     map[string]string `json:"overlay,omitempty"`
	Patches     json.RawMessage   `json:"patches,omitempty"`
	PatchStrip  int               `json:"patch_strip,omitempty"`
}

// registryFile returns the path of a file of the registry.
func (a *archives) registryFile(ctx context.Context, name string) (string, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	content, err := a.read(ctx, name)
	if err == nil && path.Base(name) == "source.json" {
		content, err = a.packSource(ctx, path.Dir(name), content)
	}
	// A tag of rules_kotlin cannot replace its release, and is not needed otherwise.
	if strings.HasPrefix(name, "modules/rules_kotlin/") && path.Base(name) == "MODULE.bazel" {
		content = bytes.ReplaceAll(content, []byte("\nregister_toolchains("), []byte("\nprint("))
	}
	if err != nil {
		return "", err
	}
	file := filepath.Join(a.dir, "registry", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("writing a file of the registry: %w", err)
	}
	return file, atomic.WriteFile(file, content)
}

// read reads a file of the registry, from its files or from its git directory.
func (a *archives) read(ctx context.Context, name string) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(a.registry, "modules")); err == nil {
		return fs.ReadFile(os.DirFS(a.registry), name)
	}
	return command(ctx, nil, "git", "-c", "safe.directory=*", "--git-dir="+a.registry, "show", "HEAD:"+name)
}

// packSource packs the module of a source.json in the directory dir of the registry,
// and returns the source.json for that archive. A module without a git directory
// keeps its own: Bazel reads those of all modules, but few archives.
func (a *archives) packSource(ctx context.Context, dir string, content []byte) ([]byte, error) {
	var s source
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("parsing source.json: %w", err)
	}
	m := githubArchive.FindStringSubmatch(s.URL)
	if m == nil {
		return content, nil
	}
	file := a.archive(s.URL)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		repository := a.repository(ctx, m[1], m[2], m[3]+m[4])
		if repository == "" {
			return content, nil
		}
		if err := a.pack(ctx, repository, m[3]+m[4], dir, s, file); err != nil {
			return nil, fmt.Errorf("packing %s: %w", dir, err)
		}
	}
	sum, err := sha256File(file)
	if err != nil {
		return nil, err
	}
	s.Integrity = "sha256-" + base64.StdEncoding.EncodeToString(sum)
	s.ArchiveType, s.StripPrefix, s.Patches = "tar.gz", "", nil
	return json.Marshal(s)
}
