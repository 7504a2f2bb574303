// Hyperkube executes one of the programs in its image: the one named by the
// first argument, or by the name under which hyperkube itself was called.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/dispatch"
)

func main() { os.Exit(dispatch.Main()) }
