package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/pin"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

func newPin(env cli.Env) *cobra.Command {
	var o pin.Options
	var p pinProofs
	var check bool
	c := &cobra.Command{
		Use:   "pin",
		Short: "Pin the files and base images that the manifest requires",
		Long: `Pin adds to versions/lock.json the sha256 of every file and base image that
versions/versions.yaml requires and the lock lacks. Released files are downloaded and
compared with the checksums of upstream, programs are built. Sets of Debian packages
are solved by apt from the signed indexes of the machine's mirror. A pin is never
changed, except that of a program of this repository, and those of packages with
--upgrade-packages. If an archive or an upgrade of packages changes the files of images,
their iterations in versions/versions.yaml are raised. The exit code is 3 if a checksum differs from the pinned one.

With --check, pin also prints the Debian packages that have a newer version, a
security update among them, and those that the index no longer has.

With --proofs, pin instead fetches upstream's signatures of the pinned files and their
entries in the transparency log, verifies them, and stores them as Sigstore bundles in
versions/proofs. It continues after an interruption. With --import-proofs, it takes
bundles from a directory. The exit code is 3 if one is refused.`,
		Example: `  # Pin the files of a release that was added to versions/versions.yaml.
  hk pin

  # Pin a member of an archive, whose sha256 you have verified.
  hk pin --archive rancher/v1.28.7/linux/amd64/kubelet=SHA256

  # Fetch the proofs of upstream's signatures, or store those that were carried in.
  hk pin --proofs
  hk pin --import-proofs /media/proofs`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.selected() {
				return p.run(c, env)
			}
			env := env
			if env.Dir = checkout.Root(env.Dir); env.Dir == "" {
				return cli.Usage("%w", errNoCheckout)
			}
			if !check {
				return pin.Add(c.Context(), env, o)
			}
			if o.Programs || len(o.Imports)+len(o.Archives) > 0 || o.UpgradePackages {
				return cli.Usage("--check: want no --programs, --import, --archive or --upgrade-packages")
			}
			return checkPins(c.Context(), env, o.Keyring)
		},
	}
	fs := c.Flags()
	fs.BoolVar(&check, "check", false, "write nothing; print the missing pins and exit with code 3 if there are any")
	fs.BoolVar(&o.Programs, "programs", false, "build the programs of this repository and pin them again")
	fs.BoolVar(&o.TrustMirror, "trust-mirror", false, "trust checksums of new files from the mirror in HYPERKUBE_UPSTREAM")
	fs.StringArrayVar(&o.Imports, "import", nil, "pin the checksums in a JSON `file`: version to file to architecture to sha256; repeatable")
	fs.BoolVar(&o.UpgradePackages, "upgrade-packages", false, "pin the newest versions of the Debian packages, and drop packages that are no longer required")
	fs.StringVar(&o.Keyring, "keyring", "", "the `file` with the keys that sign the Debian indexes, unless apt's configuration has one for the mirror; Debian's by default")
	fs.Func("archive", "`KEY=SHA256` of an archive to pin, with the member that the manifest names; repeatable", func(s string) error {
		a, err := pin.ParseArchive(s)
		o.Archives = append(o.Archives, a)
		return err
	})
	p.flags(c)
	return c
}

// checkPins prints the missing pins and the outdated packages.
func checkPins(ctx context.Context, env cli.Env, keyring string) error {
	missing, err := pin.Missing(env)
	if err != nil {
		return err
	}
	for _, key := range missing {
		fmt.Fprintln(env.Out, key)
	}
	outdated, err := pin.Outdated(ctx, env, keyring)
	if err != nil {
		return err
	}
	for _, line := range outdated {
		fmt.Fprintln(env.Out, line)
	}
	var errs []error
	if len(missing) > 0 {
		errs = append(errs, fmt.Errorf("%s lacks %d pins. Fix: go run ./tools/hk pin", versions.LockFile, len(missing)))
	}
	if len(outdated) > 0 {
		errs = append(errs, fmt.Errorf("%s has outdated packages, see %d lines above. Fix: go run ./tools/hk pin --upgrade-packages", versions.LockFile, len(outdated)))
	}
	if len(errs) > 0 {
		return cli.Exit(cli.ExitDrift, errors.Join(errs...))
	}
	return nil
}
