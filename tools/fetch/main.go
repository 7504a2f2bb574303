// Fetch gets a pinned file and checks it against the lock: out of the store,
// from upstream or a mirror, or built from source.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/supply"
	"github.com/hyperkube/hyperkube/versions"
)

func main() { os.Exit(cli.Main("fetch", run)) }

func run(ctx context.Context, env cli.Env) error {
	fs := flag.NewFlagSet("fetch", flag.ContinueOnError)
	name := fs.String("file", "", "the `name` of the file in the lock: kubernetes/v1.36.0/linux/amd64/kubelet")
	out := fs.String("o", "", "copy the file to this `path` too")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	key, err := versions.ParseFileKey(*name)
	if err != nil {
		return cli.Usage("-file: %w", err)
	}
	s, err := supply.FromEnv(env)
	if err != nil {
		return err
	}
	pin, ok := s.Catalog.Lock.Pin(key)
	if !ok {
		return fmt.Errorf("getting %s: it is not pinned in %s", key, versions.LockFile)
	}
	if err := s.Ensure(ctx, pin); err != nil {
		return err
	}
	if *out != "" {
		return s.Copy(pin, *out)
	}
	if err := s.Store.Verify(pin.SHA256); err != nil {
		return s.Explain(pin, err)
	}
	fmt.Fprintln(env.Out, s.Store.Path(pin.SHA256))
	return nil
}
