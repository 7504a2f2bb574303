// Command airgap sets up Bazel on a Linux machine that reaches only a Debian
// mirror and a Go module proxy, and executes it. ./bazelw runs this command;
// docs/airgap.md says what it installs and trusts.
//
//	airgap -workspace DIR [-setup | -bare] [--] [BAZEL ARGUMENT]...
//
// All files are in the cache directory. Each directory is created atomically
// and only once.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("airgap", run)) }
