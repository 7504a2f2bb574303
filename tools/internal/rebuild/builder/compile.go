package builder

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
)

// Compile compiles all packages of the step and links nothing.
func (s *Step) Compile(ctx context.Context) error {
	if !s.Build.Static() {
		if err := s.checkCgo(ctx); err != nil {
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
	err = gotool.Run(s.env.Command(ctx, list, s.cache), s.memory.follow, gotool.EachPackage(func(pkg string) { task.Detail(pkg); task.Add(1) }))
	if err != nil {
		task.Fail()
		return fmt.Errorf("compiling: %w", err)
	}
	task.Done()
	return nil
}

func (s *Step) link(ctx context.Context) error {
	packages := s.Build.Packages()
	task := s.progress.Start("linking "+s.title, "binaries", int64(len(packages)))
	// Go does not print when it has linked a binary.
	var counted int64
	stop := every(time.Second, func() {
		var finished int64
		for _, pkg := range packages {
			if _, err := s.Output(pkg); err == nil {
				finished++
			}
		}
		task.Add(finished - counted)
		counted = finished
	})
	defer stop()
	err := gotool.Run(s.env.Command(ctx, s.Build, s.cache, "-p=1", "-v"), s.memory.follow, gotool.EachPackage(task.Detail))
	if err != nil {
		task.Fail()
		return fmt.Errorf("linking: %w", err)
	}
	task.Done()
	return nil
}

// LinkInputs links the only package of the step and returns the inputs of its
// build ID.
func (s *Step) LinkInputs(ctx context.Context) (inputs redate.Inputs, err error) {
	b := s.Build
	b.Env = append(b.Env[:len(b.Env):len(b.Env)], "GODEBUG=gocachehash=1")
	err = gotool.Run(s.env.Command(ctx, b, s.cache, "-p=1"), s.memory.follow, func(stderr io.Reader, log func(string)) (err error) {
		inputs, err = redate.ReadInputs(stderr, b.Packages()[0], log)
		return err
	})
	if err != nil {
		err = fmt.Errorf("linking %s: %w", strings.Join(b.Binaries(), ", "), err)
	}
	return inputs, err
}
