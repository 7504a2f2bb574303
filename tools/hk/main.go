// Hk builds, checks and moves the images of this repository.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/hk/internal/cmd"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() { os.Exit(cli.Main("hk", cmd.Run)) }
