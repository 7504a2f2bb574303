// Proofs verifies, imports and fetches the proofs of upstream's signatures in
// versions/proofs. It is a program and a Go module of its own because of its many
// dependencies; hk builds and runs it.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/cmd"
)

func main() { os.Exit(cli.Main("hk", cmd.Run)) }
