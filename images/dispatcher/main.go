// Hyperkube starts one of the programs that lie in the same image: the one it
// is told by its first argument, or the one it is called as.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/program"
)

func main() { os.Exit(program.Main()) }
