package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/identify"
	"github.com/spf13/cobra"
)

func newExplain(env cli.Env) *cobra.Command {
	var host string
	c := &cobra.Command{
		Use:   "explain FILE|SHA256|IMAGE...",
		Short: "Say what a file, a digest or an image is, without a network",
		Long: `Explain looks up files, digests and images in the lock and the records: version,
platform, build date, toolchain, rebuild from source, images that have the file, and the
end of life. A file that is not in the lock is compared with the pin that it resembles:
it may be truncated, changed, of another version, or a web page.

SHA256 is that of a file, or the digest of an index, a manifest or an uncompressed layer,
with or without "sha256:". IMAGE is FLAVOR:TAG or a reference; no registry is asked.
Write ./NAME for a file whose name looks like a digest.

With --host, explain finds everything below a directory that looks like Kubernetes. It
follows no symlink, and stays on one file system.

The exit code is 0 if everything is in the lock or on record, 3 if something is not, and
1 if something could not be read.`,
		Example: `  # What is this binary?
  hk explain /usr/local/bin/kubelet

  # Which file has this sha256?
  hk explain d857082946c28493e8fdc52227feabd962e0e0900b6c6e4f6510168043b79dd4

  # All binaries of Kubernetes on this machine, that are not official.
  hk explain --host / --json | jq '.files[] | select(.verdict != "official")'`,
		RunE: func(c *cobra.Command, args []string) error {
			if (host == "") == (len(args) == 0) {
				return cli.Usage("want files, digests or images, or --host DIR; usage: %s", c.UseLine())
			}
			d, err := checkout.Open(env.Dir)
			if err != nil {
				return err
			}
			index, err := identify.New(d, time.Now())
			if err != nil {
				return err
			}
			if host != "" {
				return explainHost(c, index, host)
			}
			return explainAll(c, index, args)
		},
	}
	c.Flags().StringVar(&host, "host", "", "find what looks like Kubernetes below a `directory`")
	jsonFlag(c)
	return c
}

func explainAll(c *cobra.Command, index *identify.Index, inputs []string) error {
	var answers []identify.Answer
	var errs []error
	for _, input := range inputs {
		a, err := explainOne(c, index, input)
		if c.Context().Err() != nil {
			return err
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		answers = append(answers, a)
	}
	errs = append(errs, printResult(c, answers, printAnswers))
	return errors.Join(append(errs, verdict(answers))...)
}

// verdict returns an error without a message, which exits with [cli.ExitDrift], if an
// answer is not that of a pin or a record.
func verdict(answers []identify.Answer) error {
	for _, a := range answers {
		if !a.Verdict.OK() {
			return cli.Exit(cli.ExitDrift, nil)
		}
	}
	return nil
}

// explainOne takes an input for a file if there is one with its name, unless it has
// the form of a digest.
func explainOne(c *cobra.Command, index *identify.Index, input string) (identify.Answer, error) {
	if a, err := index.Digest(input); err == nil {
		return a, nil
	}
	info, err := os.Stat(input)
	switch {
	case err == nil && info.IsDir():
		return identify.Answer{}, fmt.Errorf("%q is a directory. Fix: run hk explain --host, or hk verify for the layout of an image", input)
	case err == nil:
		return index.File(c.Context(), input, input)
	case !errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(input, ".") || strings.HasPrefix(input, "/"):
		return identify.Answer{}, err
	}
	return index.Name(input)
}

func explainHost(c *cobra.Command, index *identify.Index, dir string) error {
	host, err := index.Host(c.Context(), dir)
	if err != nil {
		return err
	}
	if err := printResult(c, host, printHost); err != nil {
		return err
	}
	if host.Unreadable > 0 {
		return errors.New("some files could not be read, so the list may be incomplete. Fix: run it as root")
	}
	return verdict(host.Files)
}
