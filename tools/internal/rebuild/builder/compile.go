package builder

import (
	"context"
	"fmt"
	"io"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
)

// Compile compiles all packages of the step and links nothing.
func (s *Step) Compile(ctx context.Context) error {
	if !s.Build.Static() {
		if err := s.checkC(ctx); err != nil {
			return err
		}
	}
	total, err := s.countPackages(ctx)
	if err != nil {
		return err
	}
	task := s.progress.Start("compiling "+s.title, "packages", total)
	list := s.Build
	list.Args = append([]string{"list", "-export", "-deps", "-f", "", "-v"}, s.Build.Args[1:]...)
	err = s.run(s.env.Command(ctx, list, s.cache), func(stderr io.Reader, said func(string)) error {
		return gotool.EachPackage(stderr, said, func(pkg string) { task.Detail(pkg); task.Add(1) })
	})
	if err != nil {
		task.Fail()
		return fmt.Errorf("compiling: %w", err)
	}
	task.Done()
	return nil
}
