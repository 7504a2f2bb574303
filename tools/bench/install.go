package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/hyperkube/hyperkube/tools/internal/assemble"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/versions"
)

// copyImage does with containerd what install does: it pulls an image, mounts it,
// and copies two programs to a directory, with fsync.
const copyImage = `set -e
ctr --address "$1" --namespace "bench-$2" image pull --plain-http "$3" >/dev/null
mkdir "$4" "$4.mount"
ctr --address "$1" --namespace "bench-$2" image mount "$3" "$4.mount" >/dev/null
cp "$4.mount/kubelet" "$4.mount/kubectl" "$4"
sync "$4/kubelet" "$4/kubectl" "$4"
umount "$4.mount"
`

// compareWithContainerd measures hyperkube install from a registry on the loopback
// interface into an empty directory.
func compareWithContainerd(compression versions.Compression) prepareFunc {
	return func(ctx context.Context, env cli.Env, w *workspace) (step, step, error) {
		program := filepath.Join(w.dir, "hyperkube")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
		build.Dir = filepath.Join(env.Dir, "images", "dispatcher")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("building the dispatcher: %w: %s", err, out)
		}
		address, err := startRegistry(ctx, w)
		if err != nil {
			return nil, nil, err
		}
		ref, err := pushImage(ctx, env, w, address, compression)
		if err != nil {
			return nil, nil, err
		}
		socket, enter, err := startContainerd(ctx, w)
		if err != nil {
			return nil, nil, err
		}
		command := func(ctx context.Context, args ...string) *exec.Cmd {
			args = append(enter[1:len(enter):len(enter)], args...)
			return exec.CommandContext(ctx, enter[0], args...)
		}
		install := func(ctx context.Context, n int) (int64, error) {
			to := filepath.Join(w.dir, "install-"+strconv.Itoa(n))
			if err := os.Mkdir(to, 0o755); err != nil {
				return 0, err
			}
			return watchMemory(command(ctx, program, "install", "--to", to, "kubelet=image:"+ref+"!/kubelet", "kubectl=image:"+ref+"!/kubectl"))
		}
		pull := func(ctx context.Context, n int) (int64, error) {
			to := filepath.Join(w.dir, "pull-"+strconv.Itoa(n))
			return watchMemory(command(ctx, "sh", "-c", copyImage, "sh", socket, strconv.Itoa(n), ref, to))
		}
		return install, pull, nil
	}
}

// pushImage pushes the measured image and returns its reference by digest.
func pushImage(ctx context.Context, env cli.Env, w *workspace, address string, compression versions.Compression) (string, error) {
	b, image, err := compressedImage(ctx, env, compression)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(w.dir, "layout")
	if _, err := assemble.Image(ctx, b.Fetcher, image, versions.Platform{}, dir); err != nil {
		return "", err
	}
	content, err := layout.Open(dir)
	if err != nil {
		return "", err
	}
	repository := address + "/hyperkube"
	if _, err := (registry.Push{Repository: repository, Tags: []string{version}}).Run(ctx, progress.New(env.Err, env.Getenv), content); err != nil {
		return "", err
	}
	return repository + "@" + content.Digest.String(), nil
}
