package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/atomic"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
)

// checkC compiles the smallest package that has C in it and looks whether the
// result names the folder it was compiled in, which has a random name. It does
// if go has found that the compiler knows no flags against that. Go asks the
// compiler once and keeps the answer, a wrong one, too: one has been seen to
// come of a compiler that knows them all. So a cache with it is thrown away.
func (r *rebuilder) checkC(ctx context.Context, s *step) error {
	if !slices.Contains(s.build.Args, "-trimpath") {
		return nil // the name is in it in any case
	}
	for range 2 {
		archive, err := s.compileC(ctx)
		if err != nil {
			return fmt.Errorf("compiling C: %w", err)
		}
		if !namesItsFolder(archive) {
			return nil
		}
		r.report.Logf("throwing away the build cache %s: what was compiled from C has traces of its folder", s.cache)
		if err := atomic.RemoveAll(s.cache); err != nil {
			return fmt.Errorf("throwing away a build cache: %w", err)
		}
		if err := s.makeCache(); err != nil {
			return err
		}
	}
	return errors.New("compiling C: the compiler leaves the random name of the folder it works in (/tmp/go-build…) in what it makes, even with an empty build cache")
}

// compileC is what comes of compiling runtime/cgo.
func (s *step) compileC(ctx context.Context) ([]byte, error) {
	out, err := s.list(ctx, []string{"runtime/cgo"}, "-export", "-f", "{{.Export}}")
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(string(out))
	dir, file := filepath.Split(name)
	return gotool.ReadFile(filepath.Join(s.cache, filepath.Base(dir), file), 64<<20)
}

// randomFolder is where go compiles, as it is if the compiler was told no name
// to write in its place.
var randomFolder = regexp.MustCompile(`/go-build[0-9]+/`)

func namesItsFolder(archive []byte) bool { return randomFolder.Match(archive) }
