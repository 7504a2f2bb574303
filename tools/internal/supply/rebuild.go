package supply

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/hyperkube/hyperkube/versions"
)

// rebuild runs tools/rebuild, which leaves the file in the store. It is a
// process of its own because most who get files never come to build one.
func (s *Supplier) rebuild(ctx context.Context, pin versions.Pin) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./tools/rebuild",
		"-version", pin.Version.String(), "-binary", pin.File, "-platform", pin.Platform.String())
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Root, s.Log, s.Log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building it from source: %w; the lines above say why", err)
	}
	return nil
}
