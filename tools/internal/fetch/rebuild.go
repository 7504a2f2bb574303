package fetch

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// rebuilder returns a function that runs tools/rebuild, which leaves the file in
// the store. It is a process of its own because most who get files never come
// to build one.
func (s *Fetcher) rebuilder() func(context.Context, versions.Pin) error {
	return func(ctx context.Context, pin versions.Pin) error {
		cmd := exec.CommandContext(ctx, "go", "run", "./tools/rebuild",
			"-version", pin.Version.String(), "-binary", pin.File, "-platform", pin.Platform.String())
		cmd.Dir, cmd.Stdout, cmd.Stderr = s.Root, s.Log, s.Log
		// All of its group end when this ends: go run does not tell its child.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
		cmd.WaitDelay = 10 * time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building it from source: %w; the lines above say why", err)
		}
		return nil
	}
}
