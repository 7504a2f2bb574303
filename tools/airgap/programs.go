package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// The versions are those of rules_oci 2.3.0.
const crane, regctl = "0.18.0", "0.8.0"

// programsDir returns the directory of the programs that upstream's rules_oci
// runs.
func (c config) programsDir() string { return c.path("programs", "crane-"+crane+"-regctl-"+regctl) }

// buildPrograms fills programsDir: crane and regctl are built from modules of
// the Go module proxy, verified by the checksum database; the others are
// symlinks to programs of the Debian root.
func (c config) buildPrograms(ctx context.Context, sdk goSDK) error {
	return c.ensureDir(ctx, c.programsDir(), func(dir string) error {
		for _, module := range []string{
			"github.com/google/go-containerregistry/cmd/crane@v" + crane,
			"github.com/regclient/regclient/cmd/regctl@v" + regctl,
		} {
			fmt.Fprintf(c.log, "building %s\n", module)
			cmd := sdk.command(ctx, dir, "install", "-trimpath", module)
			cmd.Env = append(cmd.Env, "GOBIN="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("building %s: %w: %s", module, err, bytes.TrimSpace(out))
			}
		}
		for _, name := range []string{"bsdtar", "coreutils", "jq", "zstd"} {
			if err := os.Symlink("/usr/bin/"+name, filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("creating a symlink: %w", err)
			}
		}
		return nil
	})
}
