// Save writes images into one file that docker, podman, containerd and skopeo
// read: images of the catalog, built as tools/build does, and OCI layouts that
// are there. It also tells what is in such a file. See docs/saved-images.md.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the digests of an image are not
// those on record.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/fetch"
)

func main() { os.Exit(cli.Main("save", run)) }

// memory is what the process is to do with, in bytes, whatever the images' size.
const memory = 48 << 20

func run(ctx context.Context, env cli.Env) error {
	debug.SetMemoryLimit(memory)
	c, err := parse(env)
	if err != nil {
		return err
	}
	if c.list != "" {
		return list(env, c)
	}
	var s *fetch.Fetcher
	if len(c.catalog) > 0 {
		if s, err = fetch.FromEnv(env); err != nil {
			return err
		}
	}
	return save(ctx, env, s, c)
}
