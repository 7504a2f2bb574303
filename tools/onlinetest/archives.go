package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// archive returns the path of the archive of a URL.
func (a *archives) archive(url string) string {
	return filepath.Join(a.dir, fmt.Sprintf("%x.tar.gz", sha256.Sum256([]byte(url))))
}

// githubArchive matches the URLs of archives: owner, name, tag.
var githubArchive = regexp.MustCompile(`^https://github\.com/([\w.-]+)/([\w.-]+)/(?:releases/download/([^/]+)/.*|archive/(?:refs/tags/)?([^/]+)\.(?:tar\.gz|zip))$`)

// download returns the path of the archive of a URL. If it is not that of a module,
// it has the bytes that GitHub generates for a tag.
func (a *archives) download(ctx context.Context, url string) (string, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	file, m := a.archive(url), githubArchive.FindStringSubmatch(url)
	if _, err := os.Stat(file); err == nil || m == nil || m[4] == "" {
		return file, err
	}
	repository := a.repository(ctx, m[1], m[2], m[4])
	if repository == "" {
		return "", fmt.Errorf("%q has no git directory %s+%s with the tag %s", a.modules, m[1], m[2], m[4])
	}
	_, err := command(ctx, nil, "git", "-c", "safe.directory=*", "-c", "tar.tar.gz.command=gzip -cn", "--git-dir="+repository,
		"archive", "--format=tar.gz", "--prefix="+m[2]+"-"+strings.TrimPrefix(m[4], "v")+"/", "-o", file+".new", m[4])
	if err != nil {
		return "", err
	}
	return file, os.Rename(file+".new", file)
}

// repository returns the git directory that has a tag, or "".
func (a *archives) repository(ctx context.Context, owner, name, tag string) string {
	// GitHub redirects from former owners of a repository.
	for _, pattern := range []string{owner + "+" + name, owner + "+" + name + "/repo", "*+" + name, "*+" + name + "/repo"} {
		heads, _ := filepath.Glob(filepath.Join(a.modules, pattern, "HEAD"))
		for _, head := range heads {
			dir := filepath.Dir(head)
			if _, err := command(ctx, nil, "git", "-c", "safe.directory=*", "--git-dir="+dir, "rev-parse", "--verify", "--quiet", tag+"^{tree}"); err == nil {
				return dir
			}
		}
	}
	return ""
}

// pack writes the archive of a module: a tag of its repository with the patches of
// the registry. Files are absent that the git directory lacks, a partial clone.
func (a *archives) pack(ctx context.Context, repository, tag, dir string, s source, file string) error {
	tree, err := os.MkdirTemp(a.dir, "tree-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	// git archive would fail without those files.
	script := `export GIT_DIR=$1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
git ls-tree -r --format='%(objectname)' "$2" | git cat-file --batch-check='%(objecttype)' | paste -d ' ' - <(git ls-tree -r --format='%(path)' "$2") |
  sed -n 's/^[0-9a-f]* missing /:(exclude,literal)/p' | xargs -d '\n' git archive "$2" . | tar -x -C "$3"`
	if _, err := command(ctx, nil, "bash", "-euo", "pipefail", "-c", script, "-", repository, tag, tree); err != nil {
		return err
	}
	// The first directory is that of the archive, others are in the repository.
	_, subdirectory, _ := strings.Cut(s.StripPrefix, "/")
	tree = filepath.Join(tree, subdirectory)
	decoder := json.NewDecoder(bytes.NewReader(s.Patches))
	for decoder.More() { // in their order
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if !strings.HasSuffix(name, ".patch") {
			continue
		}
		patch, err := a.read(ctx, dir+"/patches/"+name)
		if err != nil {
			return err
		}
		// A release can have another MODULE.bazel than the tag.
		if _, err := command(ctx, patch, "git", "-C", tree, "apply", "--exclude=MODULE.bazel", fmt.Sprintf("-p%d", s.PatchStrip)); err != nil {
			return err
		}
	}
	moduleFile, err := a.read(ctx, dir+"/MODULE.bazel")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tree, "MODULE.bazel"), moduleFile, 0o644); err != nil {
		return err
	}
	if _, err := command(ctx, nil, "tar", "-C", tree, "-czf", file+".new", "."); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// command returns the stdout of a command.
func command(ctx context.Context, stdin []byte, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("running %s: %w: %s", name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, err
}

func sha256File(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return sum.Sum(nil), err
}
