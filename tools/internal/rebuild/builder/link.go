package builder

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

func (s *Step) link(ctx context.Context) error {
	packages := s.Build.Packages()
	task := s.progress.Start("linking "+s.title, "binaries", int64(len(packages)))
	stop := s.countBinaries(packages, task)
	defer stop()
	err := s.run(s.env.Command(ctx, s.Build, s.cache, "-p=1", "-v"), func(stderr io.Reader, said func(string)) error {
		return gotool.EachPackage(stderr, said, func(pkg string) { task.Detail(pkg) })
	})
	if err != nil {
		task.Fail()
		return fmt.Errorf("linking: %w", err)
	}
	task.Done()
	return nil
}

// countBinaries adds each finished binary to task: go prints when it starts to
// link one, and not when it is done.
func (s *Step) countBinaries(packages []string, task *progress.Task) (stop func()) {
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for counted := int64(0); ; {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			var finished int64
			for _, pkg := range packages {
				if _, err := s.Output(pkg); err == nil {
					finished++
				}
			}
			task.Add(finished - counted)
			counted = finished
		}
	})
	return func() { close(end); wg.Wait() }
}

// LinkInputs links the only package of the step and returns the inputs of its
// build ID.
func (s *Step) LinkInputs(ctx context.Context) (inputs redate.Inputs, err error) {
	b := s.Build
	b.Env = append(b.Env[:len(b.Env):len(b.Env)], "GODEBUG=gocachehash=1")
	err = s.run(s.env.Command(ctx, b, s.cache, "-p=1"), func(stderr io.Reader, said func(string)) error {
		var err error
		inputs, err = redate.ReadInputs(stderr, b.Packages()[0], said)
		return err
	})
	if err != nil {
		err = fmt.Errorf("linking %s: %w", strings.Join(b.Binaries(), ", "), err)
	}
	return inputs, err
}
