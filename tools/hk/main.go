// Hk builds, checks and moves reproducible images of Kubernetes binaries.
package main

import (
	"os"

	"github.com/hyperkube/hyperkube/tools/hk/internal/cmd"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func main() {
	// "bazel run" starts programs in their runfiles. Tests stay there.
	if dir := os.Getenv("BUILD_WORKING_DIRECTORY"); dir != "" && os.Getenv("TEST_SRCDIR") == "" {
		if err := os.Chdir(dir); err != nil {
			os.Exit(cli.Code("hk", os.Stderr, err))
		}
	}
	os.Exit(cli.Main("hk", cmd.Run))
}
