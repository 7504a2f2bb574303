// Command airgap sets up a real Bazel on a machine that reaches nothing but a
// Debian mirror and a Go module proxy, and becomes it. ./bazelw calls it; what
// it does and trusts is told in docs/airgap.md.
//
//	airgap -workspace DIR [-setup] [--] [BAZEL ARGUMENT]...
//
// Everything it makes lies in the cache folder, is made beside its place and
// moved there whole, and is not made again.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("airgap", run)) }
