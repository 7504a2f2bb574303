// Command rebuild makes official Kubernetes binaries from source, bit for bit,
// and puts those that have the lock's sha256 into the store. See
// docs/rebuild.md.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("rebuild", run)) }
