package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

func (r *rebuilder) link(ctx context.Context, s *step) error {
	packages := s.build.Packages()
	task := r.report.Start("linking "+s.what, "programs", int64(len(packages)))
	stop := s.countPrograms(packages, task)
	defer stop()
	err := s.run(s.site.Command(ctx, s.build, s.cache, "-p=1", "-v"), func(stderr io.Reader, said func(string)) error {
		return gotool.EachPackage(stderr, said, func(pkg string) { task.Detail(pkg) })
	})
	if err != nil {
		task.Fail()
		return fmt.Errorf("linking: %w", err)
	}
	task.Done()
	return nil
}

// countPrograms reports each program that is there; go does not say when it has
// linked one.
func (s *step) countPrograms(packages []string, task *progress.Task) (stop func()) {
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
			var there int64
			for _, pkg := range packages {
				if _, err := s.site.Output(s.build, pkg); err == nil {
					there++
				}
			}
			task.Add(there - counted)
			counted = there
		}
	})
	return func() { close(end); wg.Wait() }
}
