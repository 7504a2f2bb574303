package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// layerSize is the size of the file in the layer, in bytes. It exceeds the size
// of any binary, and the memory limit by far.
const layerSize = 1 << 30

// layerMemory measures the process that writes one large layer.
func layerMemory(compression string) prepareFunc {
	return func(ctx context.Context, env cli.Env, w *workspace) (step, step, error) {
		layer, src := filepath.Join(w.dir, "layer"), filepath.Join(w.dir, "src")
		if _, err := command(ctx, env, "go", "build", "-o", layer, "./tools/layer"); err != nil {
			return nil, nil, err
		}
		// Repeat the program to get a large file that is neither trivial nor
		// impossible to compress.
		program, err := os.ReadFile(layer)
		if err != nil {
			return nil, nil, err
		}
		f, err := os.Create(src)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		sum := sha256.New()
		for n := 0; n < layerSize; n += len(program) {
			if _, err := io.MultiWriter(f, sum).Write(program); err != nil {
				return nil, nil, err
			}
		}
		return func(ctx context.Context, _ int) (int64, error) {
			return peakMemory(exec.CommandContext(ctx, layer, "-src", src, "-sha256", hex.EncodeToString(sum.Sum(nil)), "-path", "/f", "-compression", compression,
				"-o", filepath.Join(w.dir, "out"), "-descriptor", filepath.Join(w.dir, "descriptor")))
		}, nil, nil
	}
}

// peakMemory runs a command and returns its peak memory in bytes.
func peakMemory(cmd *exec.Cmd) (int64, error) {
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, nil
	}
	if runtime.GOOS == "darwin" { // counts bytes, other systems count KiB
		return use.Maxrss, nil
	}
	return use.Maxrss << 10, nil
}
